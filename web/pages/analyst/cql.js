// @ts-check
// cql.js - CQL2 text taken apart into conditions on single columns, and put
// together again. What is not such a condition stays as it was typed. Pure.

/**
 * @typedef {string | number | boolean | null} Value   null: the rows without a value
 * @typedef {{values: Value[]} | {from: string, to: string}} Condition   one of these values; or from ... to, '' for open. Dates as YYYY-MM-DD
 * @typedef {{name: string, type: string}} Column
 * @typedef {{conditions: Map<string, Condition>, rest: string[]}} Parts
 */

/* Words of the language: as names they are written in quotes. */
const RESERVED = /^(and|or|not|in|is|null|like|between|true|false|date|timestamp|interval|casei|accenti)$/i;

const TOKEN = /\s*(?:('(?:[^']|'')*')|("(?:[^"]|"")*")|([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?(?![\p{L}\p{N}_]))|([\p{L}_][\p{L}\p{N}_.]*)|(<=|>=|<>|.))/uy;

/** @param {string} text @returns {{kind: string, text: string, at: number, end: number}[] | null} null: it cannot be read */
function tokens(text) {
  const list = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const m = TOKEN.exec(text);
    if (!m) return null;
    const kind = ['text', 'quoted', 'number', 'word', 'sign'][m.slice(1).findIndex((part) => part !== undefined)];
    const body = /** @type {string} */ (m.slice(1).find((part) => part !== undefined));
    if (kind === 'sign' && /["']/.test(body)) return null;
    list.push({kind, text: body, at: TOKEN.lastIndex - body.length, end: TOKEN.lastIndex});
  }
  return list;
}

const isWord = (token, word) => token?.kind === 'word' && token.text.toUpperCase() === word;

/** What the outermost ANDs join; one piece where something else does. @param {string} text @returns {string[]} */
export function conjuncts(text) {
  const list = tokens(text), whole = text.trim();
  if (!list) return whole ? [whole] : [];
  const pieces = [];
  let depth = 0, between = 0, start = 0;
  for (const token of list) {
    if (token.text === '(' && token.kind === 'sign') depth++;
    if (token.text === ')' && token.kind === 'sign') depth--;
    if (depth) continue;
    if (isWord(token, 'OR')) return [whole];
    if (isWord(token, 'BETWEEN')) between++;
    if (!isWord(token, 'AND')) continue;
    if (between) {
      between--;
      continue;
    }
    pieces.push(text.slice(start, token.at).trim());
    start = token.end;
  }
  pieces.push(text.slice(start).trim());
  return pieces.filter((p) => p);
}

/* One pass over the tokens of a piece. */
class Reader {
  /** @param {{kind: string, text: string}[]} list */
  constructor(list) {
    this.list = list;
    this.i = 0;
  }
  get token() {
    return this.list[this.i];
  }
  get over() {
    return this.i >= this.list.length;
  }
  /** @param {string} text */
  take(text) {
    const found = this.token && this.token.kind !== 'text' && this.token.kind !== 'quoted' && this.token.text.toUpperCase() === text;
    if (found) this.i++;
    return found;
  }
  name() {
    const {token} = this;
    if (token?.kind === 'word' && !RESERVED.test(token.text)) this.i++;
    else if (token?.kind === 'quoted') this.i++;
    else return null;
    return token.kind === 'quoted' ? token.text.slice(1, -1).replaceAll('""', '"') : token.text;
  }
  /** @returns {{value: Value, date: boolean} | null} */
  value() {
    const {token} = this;
    if (token?.kind === 'text') return this.i++, {value: token.text.slice(1, -1).replaceAll("''", "'"), date: false};
    if (token?.kind === 'number') return this.i++, {value: Number(token.text), date: false};
    for (const [word, value] of /** @type {[string, boolean][]} */ ([['TRUE', true], ['FALSE', false]])) if (this.take(word)) return {value, date: false};
    if (!this.take('DATE') || !this.take('(')) return null;
    const inner = this.token?.kind === 'text' ? this.value() : null;
    return inner && this.take(')') ? {value: inner.value, date: true} : null;
  }
}

/** @param {Reader} r @returns {{name: string, condition: Condition} | null} */
function comparison(r) {
  const name = r.name();
  if (name === null) return null;
  const values = (list) => ({name, condition: {values: list}});
  const range = (from, to) => ({name, condition: {from: from === null ? '' : String(from), to: to === null ? '' : String(to)}});
  if (r.take('IS')) return r.take('NULL') ? values([null]) : null;
  if (r.take('IN')) {
    if (!r.take('(')) return null;
    const list = [];
    do {
      const v = r.value();
      if (!v || v.date) return null;
      list.push(v.value);
    } while (r.take(','));
    return r.take(')') ? values(list) : null;
  }
  if (r.take('BETWEEN')) {
    const from = r.value(), to = from && r.take('AND') ? r.value() : null;
    return from && to ? range(from.value, to.value) : null;
  }
  for (const [sign, make] of /** @type {[string, (v: any) => any][]} */ ([['=', (v) => v.date ? null : values([v.value])], ['>=', (v) => range(v.value, null)], ['<=', (v) => range(null, v.value)]]))
    if (r.take(sign)) {
      const v = r.value();
      return v && make(v);
    }
  return null;
}

/** @param {string} piece @returns {{name: string, condition: Condition} | null} */
function conditionOf(piece) {
  const list = tokens(piece);
  if (!list) return null;
  const r = new Reader(list), open = r.take('('), first = comparison(r);
  if (!first) return null;
  // (a IS NULL OR a IN (...)): no value, or one of these.
  if (open && r.take('OR')) {
    const second = comparison(r);
    if (!second || second.name !== first.name || !('values' in first.condition) || !('values' in second.condition)) return null;
    first.condition = {values: [...first.condition.values, ...second.condition.values]};
  }
  if (open && !r.take(')')) return null;
  return r.over ? first : null;
}

const suits = (condition, column) => {
  if ('values' in condition) {
    const type = {integer: 'number', real: 'number', boolean: 'boolean', category: 'string', text: 'string'}[column.type];
    return condition.values.every((v) => v === null || typeof v === type);
  }
  const number = column.type === 'integer' || column.type === 'real';
  const good = number ? (t) => t === '' || Number.isFinite(Number(t)) : (t) => t === '' || /^\d{4}-\d\d-\d\d$/.test(t);
  return (number || column.type === 'time') && good(condition.from) && good(condition.to);
};

/** @param {string} text @param {Column[]} columns @returns {Parts} */
export function parse(text, columns) {
  const parts = {conditions: new Map(), rest: /** @type {string[]} */ ([])};
  for (const piece of conjuncts(text)) {
    const found = conditionOf(piece), column = found && columns.find((c) => c.name === found.name);
    const before = found && parts.conditions.get(found.name);
    if (!found || !column || !suits(found.condition, column)) parts.rest.push(piece);
    else if (!before) parts.conditions.set(found.name, found.condition);
    // Two halves of a range.
    else if (!('values' in before) && !('values' in found.condition) && !(before.from && found.condition.from) && !(before.to && found.condition.to))
      parts.conditions.set(found.name, {from: before.from || found.condition.from, to: before.to || found.condition.to});
    else parts.rest.push(piece);
  }
  return parts;
}

/** @param {string} name */
export const quoteName = (name) => /^[\p{L}_][\p{L}\p{N}_]*$/u.test(name) && !RESERVED.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
/** @param {Value} value */
export const quoteValue = (value) => typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : typeof value === 'boolean' ? String(value).toUpperCase() : String(value);

/** @param {Column} column @param {Condition} condition @returns {string} '' where it asks for nothing */
export function conditionText(column, condition) {
  const name = quoteName(column.name);
  if ('values' in condition) {
    const told = condition.values.filter((v) => v !== null), empty = told.length < condition.values.length;
    const some = told.length === 1 ? `${name} = ${quoteValue(told[0])}` : told.length ? `${name} IN (${told.map(quoteValue).join(', ')})` : '';
    return empty && some ? `(${name} IS NULL OR ${some})` : empty ? `${name} IS NULL` : some;
  }
  const value = (text) => column.type === 'time' ? `DATE('${text}')` : text, {from, to} = condition;
  return from && to ? `${name} BETWEEN ${value(from)} AND ${value(to)}` : from ? `${name} >= ${value(from)}` : to ? `${name} <= ${value(to)}` : '';
}

/** @param {Parts} parts @param {Column[]} columns @param {string} [without] a column that is left out @returns {string} */
export function format({conditions, rest}, columns, without) {
  const texts = [...conditions].filter(([name]) => name !== without).map(([name, condition]) => conditionText(/** @type {Column} */ (columns.find((c) => c.name === name)), condition));
  // What is joined by something else is joined as a whole.
  const others = rest.length + texts.filter((t) => t).length > 1 ? rest.map((r) => conjuncts(r).length === 1 && /\bor\b/i.test(r) && !/^\(.*\)$/s.test(r) ? `(${r})` : r) : rest;
  return [...texts, ...others].filter((t) => t).join(' AND ');
}
