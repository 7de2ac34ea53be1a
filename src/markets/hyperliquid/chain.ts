/** Blocks and transactions of the exchange's EVM chain, as its JSON-RPC writes them: numbers are hexadecimal text. */
import * as field from './fields.ts';
import { Refused } from './fields.ts';
import { list, object } from './payloads.ts';
import type { Item, Sink } from './records.ts';

function hex(value: unknown, name: string): bigint {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
  if (typeof value !== 'string' || !/^0x[0-9a-fA-F]{1,64}$/.test(value)) throw new Refused(`${name}: not hexadecimal`);
  return BigInt(value);
}

/**
 * A block with its transactions, if they were recorded whole. A block's own timestamp is the only time that its
 * transactions have.
 */
export function takeBlock(data: unknown, receivedAt: number, sink: Sink): void {
  sink.element(() => {
    const block = object(data, 'block');
    const hash = field.hash(block['hash'], 'hash');
    if (hash === null) throw new Refused('hash: all zeros');
    const inside = block['transactions'];
    return {
      table: 'blocks',
      row: {
        block: hex(block['number'], 'number').toString(),
        time: field.within(Number(hex(block['timestamp'], 'timestamp')) * 1_000_000, 'timestamp', 'seconds'),
        receivedAt,
        hash,
        transactions: Array.isArray(inside) ? inside.length : null,
      },
    };
  });
  const inside = (data as { transactions?: unknown } | null)?.transactions;
  if (Array.isArray(inside))
    for (const one of inside) if (typeof one === 'object') sink.element(() => transactionItem(one, receivedAt));
}

export function takeTransactions(data: unknown, receivedAt: number, sink: Sink): void {
  for (const one of Array.isArray(data) ? list(data, 'transactions') : [data])
    sink.element(() => transactionItem(one, receivedAt));
}

function transactionItem(data: unknown, receivedAt: number): Item {
  const one = object(data, 'transaction');
  const recipient = one['to'] == null ? null : field.address(one['to'], 'to');
  const input = one['input'] ?? one['data'] ?? '0x';
  if (typeof input !== 'string' || !input.startsWith('0x')) throw new Refused('input: not hexadecimal');
  const transaction = field.hash(one['hash'], 'hash');
  if (transaction === null) throw new Refused('hash: all zeros');
  const valueWei = hex(one['value'], 'value').toString();
  if (valueWei.length > 38) throw new Refused('value: too large');
  return {
    table: 'transactions',
    row: {
      block: hex(one['blockNumber'], 'blockNumber').toString(),
      place: one['transactionIndex'] == null ? null : Number(hex(one['transactionIndex'], 'transactionIndex')),
      receivedAt,
      transaction,
      wallet: field.address(one['from'], 'from'),
      recipient,
      valueWei,
      callsContract: recipient === null || input.length > 2,
    },
  };
}
