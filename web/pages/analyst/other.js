// @ts-check
// other.js - the other side of a comparison: which period and filter it has,
// and how sure a difference is. Pure.

import {binomialP, falseDiscovery} from '../profile/numbers.js';
import {previous, yearBefore} from './days.js';
import {splitTime} from './state.js';

/** @typedef {import('./state.js').State} State */

/** The state of side B; null: nothing is compared, or the period has no end that could be moved. @param {State} now @returns {State | null} */
export function otherState(now) {
  if (!now.compare && !now.other) return null;
  const time = now.compare === 'previous' ? previous(now.time) : now.compare === 'year' ? yearBefore(now.time) : now.compare || now.time;
  if (now.compare && !time) return null;
  return {...now, time, filter: now.other || now.filter, compare: '', other: '', beside: {filter: now.filter, time: now.time}};
}

/**
 * Was there data in a period? Where there was none, zero is not an answer.
 * @param {string} time @param {string | undefined} first the first moment of the data
 * @returns {'all' | 'part' | 'none'}
 */
export function covered(time, first) {
  const {from, to} = splitTime(time), start = first?.slice(0, 10);
  if (!start || (!from && !to)) return 'all';
  if (to && to < start) return 'none';
  return from && from < start ? 'part' : 'all';
}

/** Two counts: their difference, and its part of b. @param {number} a @param {number} b */
export function difference(a, b) {
  return {by: a - b, share: b > 0 ? (a - b) / b : NaN};
}

/**
 * Which pairs of counts differ by more than chance does, all compared together:
 * if both of a pair have one mean (Poisson), each of its rows is of either side
 * as likely; of those that are said to differ at most 5 % do not.
 * @param {({a: number, b: number} | null)[]} pairs null: not told
 * @returns {(number | null)[]} false discovery rate at which each still counts; null: no test
 */
export const surenessOf = (pairs) => falseDiscovery(pairs.map((p) => (p && p.a + p.b > 0 ? binomialP(p.a, p.a + p.b, 0.5) : null)));

/**
 * Groups of both sides, each once.
 * @param {{id: string | null, name?: string, count: number | null}[]} a @param {{id: string | null, name?: string, count: number | null}[]} b
 * @returns {{id: string | null, name?: string, a: number | null, b: number | null}[]} null: not told
 */
export function joined(a, b) {
  /** @type {Map<string | null, any>} */
  const rows = new Map();
  for (const g of a) rows.set(g.id, {id: g.id, name: g.name, a: g.count, b: 0});
  for (const g of b) {
    const row = rows.get(g.id) ?? {id: g.id, name: g.name, a: 0, b: 0};
    row.b = g.count;
    rows.set(g.id, row);
  }
  return [...rows.values()];
}
