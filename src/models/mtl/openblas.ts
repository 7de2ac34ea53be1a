/** The matrix products of a network by OpenBLAS, in place in the kernels' memory: nothing is copied. */
import type { Products } from '../../kernels/kernels.ts';
import type { Openblas } from '../../native/blas.ts';
import { type Cuts, multiplyPiece, offsetsOf, type Piece, type Product, piecesOf, type Site } from './cuts.ts';

/** A product at fixed addresses, ready to be called. */
interface Prepared {
  readonly product: Product;
  readonly site: Site;
  /** The cut that `pieces` follow. */
  readonly cut: Site['cut'];
  readonly a: number;
  readonly pieces: readonly Piece[];
}

/** Bytes depend on the library and on the CPU's kernels; on one machine they are always the same. */
export function openblasProducts(openblas: Openblas, cuts: Cuts): Products {
  return ({ memory }) => {
    // The same few products come again every step, by the address of their result; where networks take turns, those
    // with parameters on the right side once for each network.
    const prepared = new Map<number, Map<number, Prepared>>();
    let buffer = memory.buffer;
    const prepare = (product: Product, a: number, b: number, c: number): Prepared => {
      const site = cuts.siteOf(product);
      const pieces = Array.from(piecesOf(product, site.cut), ({ row, column, rows, columns }) => {
        const at = offsetsOf(product, row, column);
        const view = (address: number) => new Uint8Array(buffer, address);
        return { rows, columns, a: view(a + at.a), b: view(b + at.b), c: view(c + at.c) };
      });
      return { product, site, cut: site.cut, a, pieces };
    };
    return (transposeA, transposeB, m, n, k, a, lda, b, ldb, c, ldc) => {
      if (memory.buffer !== buffer) {
        // Growing the memory has moved it: views of the old one would point to nothing.
        prepared.clear();
        buffer = memory.buffer;
      }
      let calls = prepared.get(c);
      if (calls === undefined) {
        calls = new Map();
        prepared.set(c, calls);
      }
      let call = calls.get(b);
      if (
        call === undefined ||
        call.a !== a ||
        call.cut !== call.site.cut ||
        !isProduct(call.product, transposeA, transposeB, m, n, k, lda, ldb, ldc)
      ) {
        call = prepare({ transposeA, transposeB, m, n, k, lda, ldb, ldc }, a, b, c);
        calls.set(b, call);
      }
      for (const piece of call.pieces) multiplyPiece(openblas, call.product, piece);
      cuts.count(call.site);
    };
  };
}

function isProduct(
  product: Product,
  transposeA: number,
  transposeB: number,
  m: number,
  n: number,
  k: number,
  lda: number,
  ldb: number,
  ldc: number,
): boolean {
  return (
    product.m === m &&
    product.n === n &&
    product.k === k &&
    product.transposeA === transposeA &&
    product.transposeB === transposeB &&
    product.lda === lda &&
    product.ldb === ldb &&
    product.ldc === ldc
  );
}
