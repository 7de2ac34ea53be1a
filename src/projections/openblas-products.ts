/** Matrix products by OpenBLAS, in place in the kernels' memory. For products that each come once. */
import type { Products } from '../kernels/kernels.ts';
import type { Openblas } from '../native/blas.ts';

/** CBLAS codes. */
const ROW_MAJOR = 101;
const AS_IT_IS = 111;
const TRANSPOSED = 112;

export function blasProducts({ sgemm }: Openblas): Products {
  return ({ memory }) =>
    (transposeA, transposeB, m, n, k, a, lda, b, ldb, c, ldc) => {
      const view = (address: number) => new Uint8Array(memory.buffer, address);
      const [ta, tb] = [transposeA, transposeB].map((one) => (one === 0 ? AS_IT_IS : TRANSPOSED));
      sgemm(ROW_MAJOR, ta as number, tb as number, m, n, k, 1, view(a), lda, view(b), ldb, 0, view(c), ldc);
    };
}
