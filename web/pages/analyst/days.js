// @ts-check
// days.js - periods in days, and how they are moved. Pure.

import {addDays, daysBetween} from '../text.js';
import {joinTime, splitTime} from './state.js';

/** Days that bars are drawn for at most: two years. */
export const DAYS_MOST = 730;

/**
 * Counts by day without gaps, the last two years of them.
 * @param {{id: string | null, count: number | null}[]} groups by day
 * @returns {{first: string, counts: number[]}}
 */
export function series(groups) {
  const dated = groups.filter((g) => g.id !== null && /^\d{4}-\d\d-\d\d/.test(g.id)).map((g) => ({day: String(g.id).slice(0, 10), count: g.count ?? 0})).sort((a, b) => a.day < b.day ? -1 : 1);
  if (!dated.length) return {first: '', counts: []};
  const length = daysBetween(dated[0].day, dated[dated.length - 1].day) + 1;
  const first = length > DAYS_MOST ? addDays(dated[0].day, length - DAYS_MOST) : dated[0].day;
  const counts = new Array(Math.min(length, DAYS_MOST)).fill(0);
  for (const {day, count} of dated) {
    const i = daysBetween(first, day);
    if (i >= 0) counts[i] += count;
  }
  return {first, counts};
}

/** Both ends of a period as indexes of days; open ends are those of the series. @param {string} time @param {{first: string, counts: number[]}} days */
export function span(time, {first, counts}) {
  const {from, to} = splitTime(time), last = counts.length - 1, within = (i) => Math.max(0, Math.min(last, i));
  return {from: from ? within(daysBetween(first, from)) : 0, to: to ? within(daysBetween(first, to)) : last};
}

/** @param {number} a @param {number} b indexes @param {string} first */
export const timeOf = (a, b, first) => joinTime(addDays(first, Math.min(a, b)), addDays(first, Math.max(a, b)));

/** A period so many days later, its length kept, within the days. @param {{from: number, to: number}} at @param {number} by @param {number} count of days */
export function shifted({from, to}, by, count) {
  const move = Math.max(-from, Math.min(count - 1 - to, by));
  return {from: from + move, to: to + move};
}

/** How far a step of playing goes: a day, or a seventh of the period. @param {{from: number, to: number}} at */
export const stepOf = ({from, to}) => Math.max(1, Math.round((to - from + 1) / 7));

/** A month so many before. @param {string} month YYYY-MM @param {number} by */
function monthBefore(month, by) {
  const n = Number(month.slice(0, 4)) * 12 + Number(month.slice(5, 7)) - 1 - by;
  return `${String(Math.floor(n / 12)).padStart(4, '0')}-${String(n % 12 + 1).padStart(2, '0')}`;
}

/** The period before one: as many months where these are whole, else as many days: 环比. '' of an open one. @param {string} time */
export function previous(time) {
  const {from, to} = splitTime(time);
  if (!from || !to) return '';
  if (from.endsWith('-01') && addDays(to, 1).endsWith('-01')) {
    const [a, b] = [from, to].map((d) => Number(d.slice(0, 4)) * 12 + Number(d.slice(5, 7))), months = b - a + 1;
    if (months > 0) return joinTime(`${monthBefore(from.slice(0, 7), months)}-01`, addDays(from, -1));
  }
  const length = daysBetween(from, to) + 1;
  return joinTime(addDays(from, -length), addDays(from, -1));
}

/** The same days a year before: 同比. 29 February becomes the 28th. @param {string} time */
export function yearBefore(time) {
  const {from, to} = splitTime(time);
  if (!from || !to) return '';
  const back = (date) => {
    const year = String(Number(date.slice(0, 4)) - 1).padStart(4, '0');
    return date.endsWith('-02-29') ? `${year}-02-28` : year + date.slice(4);
  };
  return joinTime(back(from), back(to));
}

/**
 * The months that a period touches and that are over, as FROM/TO: 2023-04/2023-05;
 * '' where there is none. @param {string} time @param {string | null} now
 */
export function monthsOver(time, now) {
  const {from, to} = splitTime(time), running = (now ?? '9999-12').slice(0, 7);
  if (!from) return '';
  const before = (month) => addDays(`${month}-01`, -1).slice(0, 7), last = to && to.slice(0, 7) < running ? to.slice(0, 7) : before(running);
  return from.slice(0, 7) <= last ? `${from.slice(0, 7)}/${last}` : '';
}
