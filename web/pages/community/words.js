/* words.js - how the page says times, ways and numbers; the words are those of
 * chinese.js or english.js. */
(function (c) {
  'use strict';

  const two = (n) => (n < 10 ? '0' : '') + n;

  /** What a key says, with what belongs into it. */
  c.t = (key, ...what) => {
    const word = c.words[key];
    return typeof word === 'function' ? word(...what) : word;
  };
  c.kindName = (kind) => c.t(`kind_${kind}`) || kind;
  c.dayName = (weekday) => c.t('days')[weekday];
  /** Minutes of a day as 8:30. */
  c.clockText = (minutes) => `${Math.floor(minutes / 60) % 24}:${two(minutes % 60)}`;
  /** A time of c.local as 6月27日 周二. */
  c.dateText = (time) => c.t('date', time, c.dayName(time.weekday));
  /** How far; rounded as people say it. */
  c.lengthText = (m) => m < 995 ? c.t('metres', Math.max(10, Math.round(m / 10) * 10))
    : c.t('kilometres', m < 9950 ? (m / 1000).toFixed(1) : Math.round(m / 1000));
})(window.community);
