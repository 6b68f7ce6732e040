/* hours.js - opening hours as OpenStreetMap writes them ("Mo-Fr 08:30-12:00,
 * 14:00-17:30; Sa 09:00-12:00; PH off"), and whether a place is open. */
(function (c) {
  'use strict';

  const NAMES = ['Su', 'Mo', 'Tu', 'We', 'Th', 'Fr', 'Sa'];
  const DAY_S = 86400, ALL = [0, 1, 2, 3, 4, 5, 6];

  /** Year, month, day, weekday and minutes of a moment (UTC seconds) in a zone. */
  c.local = (utcS, zoneS) => {
    const d = new Date((utcS + zoneS) * 1000);
    return {year: d.getUTCFullYear(), month: d.getUTCMonth() + 1, day: d.getUTCDate(), weekday: d.getUTCDay(),
      minutes: d.getUTCHours() * 60 + d.getUTCMinutes(), date: d.toISOString().slice(0, 10), utcS, zoneS};
  };

  /* "Mo-Fr,Su" as days; null: not days. PH is day 7. */
  function readDays(text) {
    const days = [];
    for (const part of text.split(',')) {
      if (part === 'PH') {
        days.push(7);
        continue;
      }
      const m = /^(\w\w)(?:-(\w\w))?$/.exec(part);
      const from = m ? NAMES.indexOf(m[1]) : -1, to = m && m[2] ? NAMES.indexOf(m[2]) : from;
      if (from < 0 || to < 0) return null;
      for (let d = from; ; d = (d + 1) % 7) {
        days.push(d);
        if (d === to) break;
      }
    }
    return days;
  }

  /* "08:30-12:00,14:00-17:30" as minutes; an end before its beginning is on the next day. */
  function readTimes(text) {
    const times = [];
    for (const part of text.split(',')) {
      const m = /^(\d\d?):(\d\d)-(\d\d?):(\d\d)$/.exec(part);
      if (!m) return null;
      const from = m[1] * 60 + +m[2], to = m[3] * 60 + +m[4];
      if (+m[1] > 24 || +m[2] > 59 || +m[3] > 26 || +m[4] > 59) return null;
      times.push([from, to <= from ? to + 1440 : to]);
    }
    return times.sort((a, b) => a[0] - b[0]);
  }

  /** Times of the days 0 (Sunday) to 6, and of public holidays (7; undefined:
   * nothing is said). null: not understood. A later rule replaces an earlier one of its days. */
  c.readHours = (text) => {
    if (!text) return null;
    const week = [[], [], [], [], [], [], [], undefined];
    for (const rule of String(text).trim().split(/\s*;\s*/)) {
      if (!rule) continue;
      if (rule === '24/7') {
        for (let d = 0; d < 8; d++) week[d] = [[0, 1440]];
        continue;
      }
      const m = /^([A-Z][\w,\s-]*?)?\s*(\d[\d:,\s-]*|off|closed)?$/.exec(rule);
      if (!m || (!m[1] && !m[2])) return null;
      const days = m[1] ? readDays(m[1].replace(/\s+/g, '')) : ALL;
      const times = !m[2] ? [[0, 1440]] : /^[oc]/.test(m[2]) ? [] : readTimes(m[2].replace(/\s+/g, ''));
      if (!days || !times) return null;
      for (const d of days) week[d] = times;
    }
    return week;
  };

  const within = (ranges, date) => (ranges || []).some((r) => Array.isArray(r) ? date >= r[0] && date <= r[1] : date === r);

  /* Times of the day so many days after `time`; null: a holiday of which nothing is said. */
  function timesOf(week, time, after, city) {
    const day = c.local(time.utcS + after * DAY_S, time.zoneS);
    if (within(city.holidays, day.date)) return week[7] === undefined ? null : week[7];
    // A working day that makes up for a holiday is like a Monday.
    return week[within(city.workdays, day.date) ? 1 : day.weekday];
  }

  /** Is it open at a time of c.local? until: minutes of the day; next: {after: days, minutes}. */
  c.openState = (week, time, city) => {
    if (!week) return {state: 'unknown'};
    const today = timesOf(week, time, 0, city), before = timesOf(week, time, -1, city);
    let until = -1;
    for (const [from, to] of before || []) if (to > 1440 && time.minutes < to - 1440) until = to - 1440;
    for (const [from, to] of today || []) if (time.minutes >= from && time.minutes < to) until = Math.max(until, to);
    const always = week.every((t, d) => d === 7 || (t.length === 1 && t[0][0] === 0 && t[0][1] === 1440));
    if (until >= 0) return {state: 'open', until, always};
    if (today === null) return {state: 'holiday'};
    for (let after = 0; after < 15; after++) {
      for (const [from] of timesOf(week, time, after, city) || []) {
        if (!after && from <= time.minutes) continue;
        const begun = today.some((t) => t[1] <= time.minutes);
        return {state: after ? 'closed' : begun ? 'break' : 'before', next: {after, minutes: from}};
      }
    }
    return {state: 'closed'};
  };

  /** The state in words. */
  c.openText = (s, time) => {
    if (s.state === 'unknown') return c.t('unknownHours');
    if (s.state === 'holiday') return c.t('holiday');
    if (s.state === 'open') return s.always ? c.t('openAll') : c.t('openTill', c.clockText(s.until));
    if (!s.next) return c.t('closed');
    const at = c.clockText(s.next.minutes), day = c.local(time.utcS + s.next.after * DAY_S, time.zoneS);
    const en = c.lang === 'en';
    if (s.state === 'break') return c.t('breakTill', en ? at : `${at} `);
    if (s.state === 'before') return c.t('notYet', en ? at : `今天 ${at} `);
    const when = s.next.after > 1 ? c.dayName(day.weekday) : en ? 'tomorrow' : s.next.minutes < 720 ? '明早' : '明天';
    return c.t('closedTill', en ? `${when} ${at}` : `${when} ${at} `);
  };

  /** The week in words: 周一至周五 8:30-12:00, 14:00-17:30. null: not understood. */
  c.hoursText = (week) => {
    if (!week) return null;
    const said = [], order = [1, 2, 3, 4, 5, 6, 0];
    const text = (times) => times.map((t) => `${c.clockText(t[0])}-${t[1] === 1440 ? '24:00' : c.clockText(t[1])}`).join(', ');
    for (let i = 0; i < 7;) {
      let j = i;
      while (j + 1 < 7 && text(week[order[j + 1]]) === text(week[order[i]])) j++;
      const times = text(week[order[i]]);
      const days = i === 0 && j === 6 ? c.t('daily') : i === j ? c.dayName(order[i])
        : `${c.dayName(order[i])}${c.lang === 'en' ? '–' : '至'}${c.dayName(order[j])}`;
      if (times) said.push(`${days} ${times}`);
      i = j + 1;
    }
    return said.join(c.lang === 'en' ? '; ' : ';');
  };
})(window.community);
