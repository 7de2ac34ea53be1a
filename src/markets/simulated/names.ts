/** Names for the things of a simulated world: addresses, token ids, questions. */
import type { Rng } from '../../random/rng.ts';
import type { Category } from '../categories.ts';

/** `0x` and forty hexadecimal digits. */
export function addressOf(rng: Rng): string {
  let digits = '';
  for (let word = 0; word < 5; word++) digits += rng.uint32().toString(16).padStart(8, '0');
  return `0x${digits}`;
}

/** A token id of 77 or 78 decimal digits, as those of the venue: too long for any number type. */
export function tokenOf(rng: Rng): string {
  let digits = String(1 + rng.below(9));
  for (let group = 0; group < 8; group++) digits += String(rng.below(1_000_000_000)).padStart(9, '0');
  const more = 4 + rng.below(2);
  return digits + String(rng.below(10 ** more)).padStart(more, '0');
}

const subjects: Readonly<Record<Category, readonly string[]>> = {
  politics: ['Will the incumbent win election', 'Will the senate pass bill', 'Will the president sign order'],
  sports: ['NBA: Home vs Away, game', 'Premier League: Home vs Away, match', 'UFC main event, bout'],
  crypto: ['Bitcoin up or down, round', 'Ethereum up or down, round', 'Solana up or down, round'],
  other: ['Will it rain in the capital on day', 'Will the film open above its forecast, title', 'Will the launch fly'],
};

/** A question whose words tell its category. */
export function questionOf(rng: Rng, category: Category, number: number): string {
  const list = subjects[category];
  return `${list[rng.below(list.length)] as string} ${number}?`;
}

/** Lower case, words joined by hyphens. */
export function slugOf(question: string): string {
  return question
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
}

/** `0x` and the 48 hexadecimal digits with which all hashes of transactions begin; their number makes up the rest. */
export function transactionPrefix(rng: Rng): string {
  let digits = '';
  for (let word = 0; word < 6; word++) digits += rng.uint32().toString(16).padStart(8, '0');
  return `0x${digits}`;
}
