/** What a plain line is, a character at a time: what the kernel of that name is held against. */

const DIGIT = 1;
const HEXADECIMAL = 2;

/** What each byte may stand for; only small letters count as hexadecimal. */
const kinds = new Uint8Array(256);
for (const digit of '0123456789') kinds[digit.charCodeAt(0)] = DIGIT | HEXADECIMAL;
for (const letter of 'abcdef') kinds[letter.charCodeAt(0)] = HEXADECIMAL;

const code = (character: string): number => character.charCodeAt(0);
const COMMA = code(',');
const POINT = code('.');
const LINE_FEED = code('\n');

/** Characters of a template; `0` stands for any digit. */
const template = (text: string): Uint8Array => Uint8Array.from(text, code);
const DATE_AND_CLOCK = template('0000-00-00T00:00:00');
const SECOND_DECIMALS = 6;
const OUTCOME = template('token');
const BUY = template('BUY,');
const SELL = template('SELL,');

/** Digits of an address and of the hash of a transaction, after `0x`. */
const ADDRESS_DIGITS = 40;
const HASH_DIGITS = 64;

const AMOUNT_DECIMALS = 6;

/** Stands for the end of something that is not as it should be. It stays what it is through all that follows. */
const NONE = -1;

/**
 * Where the line that begins at `at` ends, line feed included, if it is plain: a time to the second with up to six
 * decimals and no zone; a number of a market without a point; addresses and a hash in small letters; `token1` or
 * `token2`; `BUY` or `SELL`; a price, perhaps with an exponent; amounts of up to six decimals without sign and exponent.
 * Otherwise -1. Says nothing of what the fields mean: a date may have a month 13.
 */
export function plainLineEnd(bytes: Uint8Array, at: number): number {
  let end = afterComma(bytes, afterTime(bytes, at));
  end = afterComma(bytes, afterDigits(bytes, end));
  end = afterComma(bytes, afterHexadecimal(bytes, end, ADDRESS_DIGITS));
  end = afterComma(bytes, afterHexadecimal(bytes, end, ADDRESS_DIGITS));
  end = afterComma(bytes, afterOutcome(bytes, end));
  end = afterSide(bytes, afterSide(bytes, end));
  end = afterComma(bytes, afterExponent(bytes, afterNumber(bytes, end, Number.POSITIVE_INFINITY)));
  end = afterComma(bytes, afterNumber(bytes, end, AMOUNT_DECIMALS));
  end = afterComma(bytes, afterNumber(bytes, end, AMOUNT_DECIMALS));
  end = afterHexadecimal(bytes, end, HASH_DIGITS);
  return end !== NONE && bytes[end] === LINE_FEED ? end + 1 : NONE;
}

const isDigit = (bytes: Uint8Array, at: number): boolean => ((kinds[bytes[at] as number] as number) & DIGIT) !== 0;

const afterComma = (bytes: Uint8Array, at: number): number => (at !== NONE && bytes[at] === COMMA ? at + 1 : NONE);

function afterTemplate(bytes: Uint8Array, at: number, characters: Uint8Array): number {
  if (at === NONE) return NONE;
  for (let i = 0; i < characters.length; i++) {
    const wanted = characters[i] as number;
    if (bytes[at + i] !== wanted && !(wanted === 48 && isDigit(bytes, at + i))) return NONE;
  }
  return at + characters.length;
}

function afterTime(bytes: Uint8Array, at: number): number {
  const end = afterTemplate(bytes, at, DATE_AND_CLOCK);
  if (end === NONE || bytes[end] !== POINT) return end;
  const last = afterDigits(bytes, end + 1);
  return last - end - 1 <= SECOND_DECIMALS ? last : NONE;
}

/** After one digit or more. */
function afterDigits(bytes: Uint8Array, at: number): number {
  if (at === NONE || !isDigit(bytes, at)) return NONE;
  let end = at + 1;
  while (isDigit(bytes, end)) end++;
  return end;
}

function afterNumber(bytes: Uint8Array, at: number, decimals: number): number {
  const point = afterDigits(bytes, at);
  if (point === NONE || bytes[point] !== POINT) return point;
  let end = point + 1;
  while (isDigit(bytes, end)) end++;
  return end - point - 1 <= decimals ? end : NONE;
}

/** After the exponent, if there is one, of up to two digits. */
function afterExponent(bytes: Uint8Array, at: number): number {
  if (at === NONE || (bytes[at] !== code('e') && bytes[at] !== code('E'))) return at;
  const signed = bytes[at + 1] === code('-') || bytes[at + 1] === code('+');
  const from = at + (signed ? 2 : 1);
  const end = afterDigits(bytes, from);
  return end - from <= 2 ? end : NONE;
}

function afterHexadecimal(bytes: Uint8Array, at: number, digits: number): number {
  if (at === NONE || bytes[at] !== code('0') || bytes[at + 1] !== code('x')) return NONE;
  const end = at + 2 + digits;
  for (let i = at + 2; i < end; i++) if (((kinds[bytes[i] as number] as number) & HEXADECIMAL) === 0) return NONE;
  return end;
}

function afterOutcome(bytes: Uint8Array, at: number): number {
  const end = afterTemplate(bytes, at, OUTCOME);
  return end !== NONE && (bytes[end] === code('1') || bytes[end] === code('2')) ? end + 1 : NONE;
}

function afterSide(bytes: Uint8Array, at: number): number {
  return bytes[at] === BUY[0] ? afterTemplate(bytes, at, BUY) : afterTemplate(bytes, at, SELL);
}
