// Opening hours: what is understood, whether a place is open, in words.
//
// Plan
//   what OpenStreetMap writes is understood, and what is not is not guessed
//   open, and until when, as a minute-by-minute table of the week says it
//   lunch breaks, nights, holidays, days that make up for them
//   in words, in both languages
import assert from 'node:assert/strict';
import test from 'node:test';

import { random } from '../onemap.mjs';
import { load } from './community.mjs';

const c = await load('words', 'chinese', 'hours');
const english = await load('words', 'english', 'hours');
const ZONE = 8 * 3600, plain = (x) => x === undefined ? undefined : JSON.parse(JSON.stringify(x));
const at = (text) => c.local(Date.parse(`${text}+08:00`) / 1000, ZONE);
const NONE = { holidays: [], workdays: [] };
const HOURS = 'Mo-Fr 08:30-12:00,14:00-17:30; Sa 09:00-12:00';
const say = (hours, time, city = NONE, by = c) => by.openText(by.openState(by.readHours(hours), at(time), city), at(time));

test('what is understood', () => {
    const day = [[510, 720], [840, 1050]];
    assert.deepEqual(plain(c.readHours('Mo-Fr 08:30-12:00,14:00-17:30')), [[], day, day, day, day, day, [], null]);
    assert.deepEqual(plain(c.readHours('Mo-Fr 08:30-12:00, 14:00-17:30')), plain(c.readHours('Mo-Fr 08:30-12:00,14:00-17:30')));
    assert.deepEqual(plain(c.readHours('24/7'))[3], [[0, 1440]]);
    assert.deepEqual(plain(c.readHours('Fr-Mo 09:00-24:00; Su off')), [[], [[540, 1440]], [], [], [], [[540, 1440]], [[540, 1440]], null]);
    assert.deepEqual(plain(c.readHours('Mo-Su 08:00-18:00; PH off'))[7], []);
    assert.deepEqual(plain(c.readHours('Tu 22:00-02:00'))[2], [[1320, 1560]]);
    assert.deepEqual(plain(c.readHours('10:00-18:00'))[0], [[600, 1080]]);
    for (const odd of ['', null, 'by appointment', 'Mo-Xx 08:00-12:00', 'sunrise-sunset', 'Mo 25:00-26:00', 'Mo 08:70-12:00', 'Mo 08:00', 'Mo-Fr 08:00-12:00 "in summer"', '周一 8:00'])
        assert.equal(c.readHours(odd), null, odd);
});

test('open as a table of minutes says it', () => {
    const real = random(4), dice = (n) => Math.floor(real() * n);
    for (let round = 0; round < 60; round++) {
        const rules = [], table = new Uint8Array(7 * 1440);
        for (let d = 0; d < 7; d++) {
            if (dice(4) === 0) continue;
            const times = [];
            for (let from = dice(600); from < 1440 && times.length < 3;) {
                const to = from + 1 + dice(500);
                // The last may run into the next day, but not past what opens then.
                if (to > 1440) break;
                times.push([from, to]);
                table.fill(1, d * 1440 + from, d * 1440 + to);
                from = to + 1 + dice(400);
            }
            const two = (n) => String(n).padStart(2, '0'), clock = (m) => `${two(Math.floor(m / 60))}:${two(m % 60)}`;
            if (times.length) rules.push(`${['Su', 'Mo', 'Tu', 'We', 'Th', 'Fr', 'Sa'][d]} ${times.map((t) => `${clock(t[0])}-${clock(t[1])}`).join(',')}`);
        }
        const week = c.readHours(rules.join('; ') || 'off');
        for (let i = 0; i < 200; i++) {
            const time = c.local(Date.UTC(2023, 5, 1 + dice(28), dice(24), dice(60)) / 1000, ZONE);
            const minute = time.weekday * 1440 + time.minutes, s = c.openState(week, time, NONE);
            assert.equal(s.state === 'open', table[minute] === 1, `${rules} ${time.date} ${time.minutes}`);
            let n = 0;
            while (n < table.length && table[(minute + n) % table.length] === table[minute]) n++;
            if (s.state === 'open') assert.equal(s.until, n === table.length ? 1440 : Math.min(1440, time.minutes + n));
            else if (n < table.length) assert.equal(s.next.after * 1440 + s.next.minutes, time.minutes + n);
            else assert.equal(s.next, undefined);
        }
    }
});

test('breaks, nights, holidays', () => {
    assert.equal(say(HOURS, '2023-06-27T10:00'), '开放至 12:00');
    assert.equal(say(HOURS, '2023-06-27T13:00'), '午休(14:00 开)');
    assert.equal(say(HOURS, '2023-06-27T07:00'), '未开门(今天 8:30 开)');
    assert.equal(say(HOURS, '2023-06-27T17:30'), '已关门(明早 8:30 开)');
    assert.equal(say(HOURS, '2023-07-01T13:00'), '已关门(周一 8:30 开)');
    assert.equal(say('Tu 22:00-02:00', '2023-06-28T01:00'), '开放至 2:00');
    assert.equal(say('Tu 22:00-02:00', '2023-06-27T23:00'), '开放至 2:00');
    assert.equal(say('Mo-Fr 14:00-18:00', '2023-06-27T19:00'), '已关门(明天 14:00 开)');
    assert.equal(say('24/7', '2023-06-27T19:00'), '全天开放');
    assert.equal(say('who knows', '2023-06-27T19:00'), '开放时间未知');
    const city = { holidays: [['2023-06-22', '2023-06-24']], workdays: ['2023-06-25'] };
    assert.equal(say(HOURS, '2023-06-22T10:00', city), '今天是节假日,去之前请先打电话');
    assert.equal(say(`${HOURS}; PH off`, '2023-06-22T10:00', city), '已关门(周日 8:30 开)');
    assert.equal(say(`${HOURS}; PH 10:00-11:00`, '2023-06-22T10:00', city), '开放至 11:00');
    assert.equal(say(HOURS, '2023-06-25T10:00', city), '开放至 12:00', 'a Sunday that is worked');
    assert.equal(say(HOURS, '2023-06-25T10:00'), '已关门(明早 8:30 开)', 'else it is a Sunday');
});

test('in words', () => {
    assert.equal(c.hoursText(c.readHours(HOURS)), '周一至周五 8:30-12:00, 14:00-17:30;周六 9:00-12:00');
    assert.equal(c.hoursText(c.readHours('24/7')), '每天 0:00-24:00');
    assert.equal(english.hoursText(english.readHours(HOURS)), 'Mon–Fri 8:30-12:00, 14:00-17:30; Sat 9:00-12:00');
    assert.equal(say(HOURS, '2023-06-27T10:00', NONE, english), 'Open until 12:00');
    assert.equal(say(HOURS, '2023-06-27T17:45', NONE, english), 'Closed (opens tomorrow 8:30)');
    assert.equal(say(HOURS, '2023-07-01T13:00', NONE, english), 'Closed (opens Mon 8:30)');
});
