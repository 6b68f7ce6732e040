// The wall's parts that need no browser.
//
// Plan
//   store   asks once, again only for what changed and not before its time;
//           a clock that moves asks only what is timed; errors back off,
//           refusals wait; 20 changes a second are one asking in 5 s
//   tour    new places first, none twice in ten minutes, back after each
//           round, by hand, paused
//   words   the figures that people know, in both languages; printed parts
//           add up
//   moment  midnight is the end of a day, in the city's zone
//   plan    a city that says nothing; questions are documented addresses
import assert from 'node:assert/strict';
import test from 'node:test';

import { Moment, lastDays, plan } from '../../../web/pages/wall/plan.js';
import { Store } from '../../../web/pages/wall/store.js';
import { AGAIN_MS, ROUND, Tour, WHOLE_MS } from '../../../web/pages/wall/tour.js';
import { count, date, month, parts, percent } from '../../../web/pages/wall/words.js';

/** A clock that goes when it is told to. */
function makeClock() {
    const clock = { ms: 0, timers: [], now: () => clock.ms,
        after: (act, ms) => { const timer = { at: clock.ms + ms, act }; clock.timers.push(timer); return timer; },
        cancel: (timer) => { clock.timers = clock.timers.filter((x) => x !== timer); },
        async go(ms) {
            const end = clock.ms + ms;
            for (;;) {
                await new Promise((resolve) => setImmediate(resolve));
                const next = clock.timers.filter((x) => x.at <= end).sort((a, b) => a.at - b.at)[0];
                if (!next) break;
                clock.cancel(next);
                clock.ms = Math.max(clock.ms, next.at);
                next.act();
            }
            clock.ms = end;
            await new Promise((resolve) => setImmediate(resolve));
        } };
    return clock;
}

test('the store asks for what has changed, and not before its time', async () => {
    const clock = makeClock(), asked = [], answers = [];
    let fail = 0;
    const store = new Store({ now: () => new Moment('2023-06-27T00:00:00+08:00'), clock, onAnswer: (key, a) => answers.push([key, a.status]),
        get: async (url) => {
            asked.push(`${url}@${clock.ms}`);
            if (fail) throw Object.assign(new Error('no'), { status: fail });
            return { value: { n: asked.length }, asOf: null };
        } });
    store.add([{ key: 'a', url: () => '/a', layers: ['hazard'], restMs: 5000 }, { key: 'b', url: () => '/b', layers: ['visit'], restMs: 30000, timed: true }]);
    await clock.go(60000);
    assert.deepEqual(asked, ['/a@0', '/b@0'], 'once, and never by the clock');
    for (let i = 0; i < 400; i++) {
        store.changed({ hazard: { rows: 1 } });
        await clock.go(50);
    }
    const a = asked.filter((x) => x.startsWith('/a'));
    assert.ok(a.length >= 5 && a.length <= 6, `20 s of 20 changes a second: ${a.length} askings`);
    assert.equal(asked.filter((x) => x.startsWith('/b')).length, 1);
    await clock.go(60000);
    store.moved();
    await clock.go(100);
    assert.equal(asked.filter((x) => x.startsWith('/b')).length, 2, 'what is timed');
    const before = asked.length;
    store.moved();
    await clock.go(100);
    assert.equal(asked.length, before, 'not twice in its time');

    fail = 500;
    store.changed({ hazard: {} });
    await clock.go(60000);
    const tries = asked.slice(before).map((x) => Number(x.split('@')[1]));
    assert.ok(tries.length >= 3 && tries.length <= 5, `backs off: ${tries}`);
    assert.equal(store.answer('a').status, 'failed');
    assert.ok(store.value('a'), 'the old answer stands');
    fail = 0;
    await clock.go(80000);
    assert.equal(store.answer('a').status, 'ok');
    fail = 404;
    store.changed({ visit: {} });
    await clock.go(600000);
    assert.equal(store.answer('b').status, 'hidden');
    const refused = asked.length;
    await clock.go(600000);
    assert.equal(asked.length, refused, 'what is refused is not asked for again and again');
    store.close();
});

test('the tour goes where it is new, and comes back', async () => {
    const clock = makeClock(), went = [];
    const tour = new Tour((p) => went.push(p?.id ?? 'city'), clock);
    tour.start();
    await clock.go(3 * WHOLE_MS);
    assert.deepEqual(went, ['city'], 'nothing is significant: it rests');
    tour.set([{ id: 'old', fresh: false, rank: 0 }, { id: 'new1', fresh: true, rank: 3 }, { id: 'new0', fresh: true, rank: 1 }, { id: 'old2', fresh: false, rank: 2 }]);
    await clock.go(150000);
    assert.deepEqual(went.slice(1, 7), ['new0', 'new1', 'old', 'city', 'old2', 'city']);
    const seen = went.length;
    await clock.go(AGAIN_MS / 3);
    assert.equal(went.length, seen, 'none twice in ten minutes');
    await clock.go(AGAIN_MS);
    assert.ok(went.length > seen);
    for (let i = 0; i < went.length - 1; i++)
        for (let j = i + 1; j < Math.min(went.length, i + ROUND); j++) assert.ok(went[i] === 'city' || went[i] !== went[j]);
    tour.pause(true);
    const paused = went.length;
    await clock.go(AGAIN_MS);
    assert.equal(went.length, paused);
    tour.step(1);
    tour.step(1);
    tour.step(-1);
    assert.equal(went.at(-1), went.at(-3));
    tour.close();
});

test('numbers are those that people know', () => {
    const zh = (n, below) => count('zh-CN', n, below);
    assert.deepEqual([13e6, 12e6, 17e5, 15e5, 12e5, 2934, 10374, 384000, 602000, 3836000, 139000, 597, 2784, 603].map((n) => zh(n)),
        ['1300万', '1200万', '170万', '150万', '120万', '2934', '10374', '38.4万', '60.2万', '383.6万', '13.9万', '597', '2784', '603']);
    assert.deepEqual(parts('zh-CN', 1133600, 1091400), ['113.4万', '109.1万', '4.3万']);
    assert.equal(percent(1091400 / 1133600), '96.3%');
    assert.deepEqual(parts('en', 1133600, 1091400), ['1.13 M', '1.09 M', '42.2 k']);
    assert.deepEqual(parts('zh-CN', 2268, 2184), ['2268', '2184', '84']);
    assert.deepEqual(parts('zh-CN', 20000, 15000), ['2万', '1.5万', '5000']);
    // What is printed adds up, to a digit of 万.
    for (let i = 0; i < 2000; i++) {
        const whole = 10000 + i * 7919, part = Math.floor(whole * ((i * 37) % 100) / 100);
        if (whole - part < 10000 || part < 10000) continue;
        const [a, b, c] = parts('zh-CN', whole, part).map(parseFloat);
        assert.ok(Math.abs(a - b - c) < 0.051, `${whole} ${part}: ${a} - ${b} = ${c}`);
    }
    assert.equal(zh(NaN), '?');
    assert.equal(zh(99999), '99999');
    assert.equal(zh(2.5e8), '2.5亿');
});

test('moments are the city\'s', () => {
    const end = new Moment('2023-06-27T00:00:00+08:00');
    assert.equal(end.day, '2023-06-26');
    assert.equal(end.dayStartMs, Date.parse('2023-06-26T00:00:00+08:00'));
    assert.equal(new Moment('2023-06-27T00:00:01+08:00').day, '2023-06-27');
    assert.equal(new Moment('2023-06-26T14:05:31+08:00').clock, '14:05:31');
    assert.equal(new Moment('2023-06-26T23:59:00Z').day, '2023-06-26');
    assert.equal(lastDays(end, 28), '2023-05-29/2023-06-26');
    assert.equal(date('zh-CN', end.later(-1)), '6月26日');
    assert.equal(date('en', end.later(-1), true), '26 Jun 23:59');
    assert.equal(month('zh-CN', '2023-06'), '6月');
    assert.equal(month('en', 'II/2023'), 'II/2023');
});

test('a plan of documented addresses, of what the city says and no more', () => {
    const layer = (name, more = {}) => ({ name, title: name, rows: 10, geometry: 'point', ...more });
    const bare = plan({ title: 'x', synthetic: false, maps: [], layers: [layer('a'), layer('none', { rows: 0 })] });
    assert.equal(bare.parts.register.length, 1);
    for (const part of ['loop', 'patrol', 'checks', 'service', 'ranking']) assert.ok(!bare.parts[part], part);
    assert.equal(bare.parts.sources.awaited[0].name, 'none');
    const now = new Moment('2023-06-27T00:00:00+08:00');
    const full = plan({ title: 'x', synthetic: true, maps: [{ name: 'heat:h', kind: 'heat', title: 'h', layer: 'h' }], layers: [layer('h'), layer('r'), layer('v'), layer('u', { unit_level: 'u' })],
        exposures: { visit: { layer: 'v', scale: 1 } }, duty: { targets: [{ layer: 'r', tables: [{ visits: { a: 1, b: 2 } }] }], visits: { layer: 'v' } },
        wall: { loop: { layer: 'h', status: 's', steps: [{ value: 'n', time: 't' }, { value: 'd', time: 'done' }], done: 'done', due: 'due', by: 'k' },
            ranking: { by: 'u', layer: 'h', done: 'done', due: 'due', per: [{ exposure: 'visit', scale: 100 }, { exposure: 'nothing', scale: 1 }] },
            map: { heat: 'heat:h', tour: { layer: 'h' }, hazards: { layer: 'gone', filter: 'x', risk: 's' } } } });
    const urls = full.questions.map((q) => q.url(now));
    assert.equal(new Set(full.questions.map((q) => q.key)).size, urls.length, 'each is asked once');
    for (const url of urls) assert.match(url, /^\/(stats\/\w+|coverage\/(patrol|service)|hotspots\/\w+|collections\/\w+\/items|legend\/heat:\w+\.json)(\?|$)/);
    assert.equal(full.parts.map.hazards, null);
    assert.equal(full.parts.ranking.per.length, 1);
    for (const q of full.questions) assert.ok(!/undefined|NaN/.test(q.url(now)), q.url(now));
});
