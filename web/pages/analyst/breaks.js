// @ts-check
// breaks.js - where classes of numbers begin, and what each of them holds, in
// the server's words (tiles/picture/classes.c). Pure.

/** Classes at most. */
export const CLASSES = 7;
/* Digits of breaks and of their words, as the server has them. */
const DIGITS_LEAST = 2, DIGITS_MOST = 17, WORD_DIGITS = 3;
/* Digits that surely tell a half from what is near it. */
const EXACT = 90;

/** A number's first digits, halves to the even one. @param {number} value above 0 @param {number} digits @returns {{text: string, exponent: number}} text: digits of them */
function firstDigits(value, digits) {
  const [mantissa, power] = value.toExponential(EXACT).split('e'), all = mantissa.replace('.', ''), rest = all.slice(digits), even = (all.charCodeAt(digits - 1) - 48) % 2 === 0;
  const half = `5${'0'.repeat(rest.length - 1)}`, up = rest > half || (rest === half && !even);
  const n = String(BigInt(all.slice(0, digits)) + (up ? 1n : 0n));
  return {text: n.slice(0, digits), exponent: Number(power) + n.length - digits};
}

/** @param {number} value @param {number} digits */
function rounded(value, digits) {
  if (value === 0) return 0;
  const {text, exponent} = firstDigits(value, digits);
  return Number(`${text[0]}.${text.slice(1) || '0'}e${exponent}`);
}

/** The first of sorted values that is not below `at`. @param {ArrayLike<number>} values @param {number} at */
export const firstFrom = (values, at) => search(values, (v) => v >= at);
/** @param {ArrayLike<number>} values @param {number} at */
const firstAbove = (values, at) => search(values, (v) => v > at);
/** @param {ArrayLike<number>} values @param {(v: number) => boolean} isIt of which all that follow are, too */
function search(values, isIt) {
  let low = 0, high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isIt(values[middle])) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * Where classes begin that have about as many numbers each.
 * @param {number[]} list in any order, each above 0 @returns {number[]} rising, CLASSES at most
 */
export function breaksOf(list) {
  const values = Float64Array.from(list).sort(), count = values.length, exact = [];
  if (!count) return [];
  exact.push(values[0]);
  for (let i = 1, at = 0; i < CLASSES; i++) {
    at += (count - at) / (CLASSES - i + 1);
    let k = Math.floor(at + 1e-9);
    if (k < count && values[k] <= exact[exact.length - 1]) {
      k = firstAbove(values, exact[exact.length - 1]);
      at = k;
    }
    if (k >= count) break;
    exact.push(values[k]);
  }
  for (let digits = DIGITS_LEAST; digits <= DIGITS_MOST; digits++) {
    const from = exact.map((v, i) => (i ? rounded(v, digits) : v));
    let before = 0;
    if (from.every((v, i) => {
      if (!i) return true;
      const k = firstFrom(values, v), apart = v > from[i - 1] && k > before && k < count;
      before = k;
      return apart;
    })) return from;
  }
  return exact;
}

/** A number in so many digits, as printf's %g has it. @param {number} value @param {number} digits */
export function general(value, digits) {
  if (value === 0) return '0';
  const {text, exponent} = firstDigits(value, digits), short = text.replace(/0+$/, '');
  if (exponent < -4 || exponent >= digits) return `${short[0]}${short.length > 1 ? `.${short.slice(1)}` : ''}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${short}`;
  const whole = text.slice(0, exponent + 1), part = text.slice(exponent + 1).replace(/0+$/, '');
  return part ? `${whole}.${part}` : whole;
}

/** @param {number} value @param {number} digits */
function word(value, digits) {
  if (Math.abs(value) < 10 ** digits) return general(value, digits);
  // As many digits as it has before its point.
  const {text, exponent} = firstDigits(value, Math.floor(Math.log10(value)) + 1);
  return text.padEnd(exponent + 1, '0');
}

/** Digits by which every break reads as the number that it is. @param {number[]} from */
function digitsOf(from) {
  let digits = WORD_DIGITS;
  for (let i = 1; i < from.length; i++) while (digits < DIGITS_MOST && Number(word(from[i], digits)) !== from[i]) digits++;
  return digits;
}

/** What each class holds, in words. @param {number[]} from @param {boolean} whole are they counts? @returns {string[]} */
export function rangesOf(from, whole) {
  const last = from.length - 1, digits = whole ? 1 : digitsOf(from);
  /** The lowest: not above what it holds. */
  const least = (value) => {
    const text = word(value, digits);
    return Number(text) <= value ? text : word(value - 10 ** (Math.floor(Math.log10(Math.abs(value))) + 1 - digits), digits);
  };
  return from.map((v, i) => {
    const low = whole ? String(v) : i ? word(v, digits) : least(v);
    if (i === last) return `≥${low}`;
    const high = whole ? String(from[i + 1] - 1) : word(from[i + 1], digits);
    return low === high ? low : `${low}–${high}`;
  });
}
