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
//   usual   of the same weekday, of all days where there are too few; the
//           hours that are over
//   past    the loop at an earlier moment, against rows gone through
//   hidden  ·, 0, ? and what a sum of them is
//   points  out of vector tiles, cut tiles refused
//   replay  24 hours in a minute by the clock: hours left out where they are
//           late, what came in them is not
//   by itself  the next replay in the city's zone; a reload at night, when
//           nothing happens, never into a silent server
import assert from 'node:assert/strict';
import test from 'node:test';

import { Moment, dayByDay, lastDays, lastMonth, loopAt, plan, statusOf, usualDay, wholeDays } from '../../../web/pages/wall/plan.js';
import { pointsOfTile, tilesOf } from '../../../web/pages/wall/points.js';
import { Replay } from '../../../web/pages/wall/replay.js';
import { Hours, mayReload, readHour, untilTime } from '../../../web/pages/wall/schedule.js';
import { Store } from '../../../web/pages/wall/store.js';
import { sentenceOf, spotsOf, unitSentence } from '../../../web/pages/wall/places.js';
import { lotOf, piled, stepFor } from '../../../web/pages/wall/thin.js';
import { AGAIN_MS, ROUND, Tour, WHOLE_MS } from '../../../web/pages/wall/tour.js';
import { column, count, date, month, parts, percent, plus, rates, thoughtsOf } from '../../../web/pages/wall/words.js';

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

test('a question that takes the place of one that is on its way is asked', async () => {
    const clock = makeClock(), waiting = [], answers = [];
    const store = new Store({ now: () => new Moment('2023-06-27T00:00:00+08:00'), clock, onAnswer: (key, a) => answers.push([key, a.value]),
        get: (url) => new Promise((done) => waiting.push({ url, done: () => done({ value: url, asOf: null }) })) });
    const share = (month) => store.add([{ key: 'share', url: () => `/${month}`, layers: [], restMs: 5000 }]);
    share('may');
    share('june');
    assert.deepEqual(waiting.map((w) => w.url), ['/may', '/june']);
    // Whichever comes last, the answer is of the later one.
    for (const { done } of waiting.reverse()) {
        done();
        await clock.go(100);
    }
    assert.deepEqual([answers, store.value('share'), store.running], [[['share', '/june']], '/june', 0]);
    store.close();
});

test('what costs little comes first, and the map waits for it', async () => {
    const clock = makeClock(), asked = [], said = [];
    let let_go = () => {};
    const store = new Store({ now: () => new Moment('2023-06-27T00:00:00+08:00'), clock, onAnswer: () => {},
        get: async (url) => {
            asked.push(url);
            if (url === '/slow') await new Promise((resolve) => { let_go = resolve; });
            return { value: 1, asOf: null };
        } });
    const one = (key, restMs) => ({ key, url: () => `/${key}`, layers: [], restMs });
    store.add([one('heavy', 300000), one('some', 30000), one('light', 5000)]);
    store.settled(2000).then(() => said.push(clock.ms));
    await clock.go(1000);
    assert.deepEqual([asked[0], said], ['/light', [0]]);
    store.add([one('slow', 5000)]);
    store.settled(2000).then(() => said.push(clock.ms));
    await clock.go(1500);
    assert.equal(said.length, 1);
    await clock.go(1500);
    assert.deepEqual(said.slice(1), [3000], 'not for ever');
    let_go();
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
    assert.deepEqual(went.slice(1), ['new0', 'new1', 'city'], 'where it is new, and rests');
    const seen = went.length;
    await clock.go(AGAIN_MS / 3);
    assert.equal(went.length, seen, 'none twice in ten minutes');
    await clock.go(AGAIN_MS);
    assert.ok(went.length > seen);
    assert.ok(!went.some((id) => id.startsWith('old')), 'what has been so for long is nowhere to go');
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
    const hand = new Set();
    for (let i = 0; i < 4; i++) {
        tour.step(1);
        hand.add(went.at(-1));
    }
    assert.deepEqual([...hand].sort(), ['new0', 'new1', 'old', 'old2'], 'by hand to all of them');
    tour.set([]);
    tour.pause(false);
    tour.hold();
    const before = went.length;
    await clock.go(AGAIN_MS);
    assert.deepEqual(went.slice(before), ['city'], 'from where somebody sent it, too');
    tour.close();
});

/** A square of a chessboard as a significant unit. */
const unit = (id, x, y, more = {}) => ({ geometry: { type: 'Polygon', coordinates: [[[x, y], [x + 1, y], [x + 1, y + 1], [x, y + 1], [x, y]]] },
    properties: { id, name: id, count: 30, expected: 10, ratio: 3, bin: 3, neighbours: 4, new: false, since: '2023-06-06T00:00:00+08:00', ...more } });

test('units that lie together and are as old are one place', () => {
    const news = { new: true, since: '2023-06-20T00:00:00+08:00' };
    const spots = spotsOf([unit('a', 0, 0, news), unit('far', 8, 8, news), unit('b', 1, 0, { ...news, count: 90 }), unit('old', 2, 0), unit('beside', 0, 1, { ...news, ratio: 0.2 }), unit('c', 2, 1, news), unit('old2', 3, 1)]);
    assert.deepEqual(spots.map((s) => [s.id, s.ids, s.fresh, s.rank]), [['b', ['b', 'a', 'c'], true, 0], ['far', ['far'], true, 1], ['old', ['old', 'old2'], false, 3]]);
    // Of a city that is hot all over each unit is in one place, and none is large.
    const board = spotsOf(Array.from({ length: 64 }, (_, i) => unit(`${i}`, i % 8, Math.floor(i / 8), { count: 20 + i })));
    assert.deepEqual(board.flatMap((s) => s.ids).sort((a, b) => a - b), Array.from({ length: 64 }, (_, i) => `${i}`));
    assert.ok(board.length >= 8 && board.every((s) => s.ids.length <= 8));
});

test('marks stand for as many as there are, whatever there is room for', () => {
    const ids = Array.from({ length: 20000 }, (_, i) => `H${String(i).padStart(7, '0')}`), lots = ids.map(lotOf);
    for (const step of [2, 10, 20, 100]) {
        const kept = lots.filter((lot) => lot % step === 0).length;
        // Five standard deviations of a fair draw.
        assert.ok(Math.abs(kept * step - ids.length) < 5 * Math.sqrt(ids.length * (step - 1)), `1 of ${step}: ${kept}`);
    }
    // Whoever is drawn for many is drawn for fewer: nothing jumps while the map comes nearer.
    for (const [few, many] of [[2, 10], [10, 20], [20, 100]]) assert.ok(lots.every((lot) => lot % many || !(lot % few)));
    assert.deepEqual([0, 350, 351, 4000, 9122].map((n) => stepFor(n, 350)), [1, 1, 2, 20, 100]);
    // Piles: none lost, the gravest seen, none so near to another that it hides it.
    const seen = Array.from({ length: 400 }, (_, i) => ({ x: (i * 37) % 101, y: (i * 53) % 89, risk: i < 300 ? 3 : 4, n: 1 })), piles = piled(seen.map((m) => ({ ...m })), 12);
    assert.equal(piles.reduce((n, p) => n + p.n, 0), seen.length);
    for (let i = 0; i < piles.length; i++) for (let k = 0; k < i; k++) assert.ok(Math.hypot(piles[i].x - piles[k].x, piles[i].y - piles[k].y) >= 12);
    for (const m of seen.filter((s) => s.risk === 4)) assert.ok(piles.some((p) => p.risk === 4 && Math.hypot(p.x - m.x, p.y - m.y) < 12));
    assert.deepEqual(piles.map((p) => p.risk), piles.map((p) => p.risk).sort());
});

test('a line of a sentence ends behind a thought and begins with no blank', () => {
    assert.deepEqual(thoughtsOf('9091 hazards are open. 62 units are hotspots of the last 28 days, 4 of them new.'), ['9091 hazards are open. ', '62 units are hotspots of the last 28 days, ', '4 of them new.']);
    assert.deepEqual(thoughtsOf('隐患9091宗。近28天有62格,其中4格新。'), ['隐患9091宗。', '近28天有62格,', '其中4格新。']);
    assert.deepEqual(thoughtsOf('31.5 % within 10 minutes'), ['31.5 % within 10 minutes']);
});

test('of a place one sentence is told: how many, how many expected, how sure, since when', () => {
    const answer = { from: '2023-05-30T00:00:00+08:00', to: '2023-06-27T00:00:00+08:00', per: 'area', step: 'week', looks_back: 8 }, words = { happened: '上报', unit: '宗', compared: '' };
    const say = (lang, features, more = {}) => sentenceOf(lang, spotsOf(features)[0], { ...answer, ...more }, lang === 'en' ? { happened: '', unit: 'reports', compared: 'Visit' } : { ...words, compared: '巡查' });
    const news = { new: true, since: '2023-06-20T00:00:00+08:00' }, two = [unit('a', 0, 0, { ...news, count: 1200, expected: 24.4 }), unit('b', 1, 0, { ...news, bin: 2 })];
    assert.equal(say('zh-CN', two), '近28天上报1230宗,按全市平均密度应有34宗;连同邻格显著,置信度95%,本周新出现。');
    assert.equal(say('en', two), '1,230 reports in 28 days, 34 expected at the city\'s mean density; together with its neighbours significant at 95 %, new this week.');
    assert.equal(say('zh-CN', [unit('a', 0, 0)]), '近28天上报30宗,按全市平均密度应有10宗;连同邻格显著,置信度99%,已持续3周。');
    assert.equal(say('en', [unit('a', 0, 0, { since: '2023-04-25T00:00:00+08:00', neighbours: 0, expected: 2.34 })], { per: 'visit' }), '30 reports in 28 days, 2.3 expected at the city\'s mean by Visit; significant at 99 %, for 9 weeks or more.');
    assert.match(say('zh-CN', [unit('a', 0, 0, { since: '2023-06-06T00:00:00+08:00' })], { per: null, step: 3 }), /按各单元平均应有10宗.*已持续21天$|已持续21天。$/);
});

test('of a unit it is told what is known, and nothing of what is not', () => {
    const all = { open: 512, unit: '宗', crew: 800, days: 28, hot: 3, fresh: 2 };
    assert.equal(unitSentence('zh-CN', all), '未处置的较高以上隐患512宗,800名网格管理员。近28天有3格为显著热点(95%以上),其中2格本周新出现。');
    assert.equal(unitSentence('en', all), '512 serious or high hazards are open, 800 workers. 3 units are significant hotspots (95 %) of the last 28 days, 2 of them new this week.');
    assert.equal(unitSentence('en', { open: 1, crew: 1, days: 28, hot: 1, fresh: 0 }), '1 serious or high hazard is open, 1 worker. One unit is a significant hotspot (95 %) of the last 28 days, none of them new this week.');
    assert.equal(unitSentence('zh-CN', { open: 0, unit: '宗', days: 28, hot: 0 }), '未处置的较高以上隐患0宗。近28天没有显著热点。');
    assert.equal(unitSentence('zh-CN', { crew: 4 }), '4名网格管理员。');
    assert.equal(unitSentence('zh-CN', {}), '');
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
    // A column is written alike, however large its numbers are.
    const writes = (lang, list, below) => { const { write, unit } = column(lang, list, below); return [unit, ...list.map(write)]; };
    assert.deepEqual(writes('zh-CN', [26502, 4300, 80], 1e4), ['万', '2.65', '0.43', '<0.01']);
    assert.deepEqual(writes('en', [26502, 4300, 80], 1e4), ['k', '26.5', '4.3', '<0.1']);
    assert.deepEqual(writes('zh-CN', [227000, 200000, 28000]), ['万', '22.7', '20.0', '2.8']);
    assert.deepEqual(writes('zh-CN', [12300, 4260, 0, null, undefined]), ['', '12300', '4260', '0', '·', '?']);
    assert.deepEqual(writes('zh-CN', [131000, 50000, 390, 0]), ['万', '13.1', '5.0', '<0.1', '0']);
    assert.deepEqual(writes('en', [227000, 94700, 28000, 500]), ['k', '227', '95', '28', '<1']);
    assert.deepEqual(writes('en', [1.2e7, 995000]), ['M', '12.0', '1.0']);
    assert.deepEqual([[99.94, 3, NaN].slice(0, 2).map(rates([99.94, 3, NaN])), [618, 99.4].map(rates([618, 99.4]))], [['99.9', '3.0'], ['618', '99']]);
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
    for (const at of ['2023-06-27T00:00:00+08:00', '2023-06-27T00:00:01+08:00', '2023-06-27T23:59:59+08:00']) assert.equal(wholeDays(new Moment(at), 28), '2023-05-30/2023-06-26', at);
    assert.equal(wholeDays(new Moment('2023-06-28T00:00:00+08:00'), 28), '2023-05-31/2023-06-27');
    assert.deepEqual(['2023-06-27T00:00:00+08:00', '2023-06-01T00:00:00+08:00', '2024-03-31T23:00:00+08:00', '2024-01-01T03:00:00+08:00'].map((t) => lastMonth(new Moment(t))),
        ['2023-05-01/2023-05-31', '2023-05-01/2023-05-31', '2024-02-01/2024-02-29', '2023-12-01/2023-12-31']);
    assert.deepEqual(dayByDay([{ id: '2023-06-24T00:00:00+08:00', count: 4 }, { id: null, count: 9 }, { id: '2023-06-26T00:00:00+08:00', count: 2 }], end, 4), [0, 4, 0, 2]);
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
        exposures: { visit: { layer: 'v', scale: 1, windowed: true }, house: { layer: 'r' } }, duty: { targets: [{ layer: 'r', tables: [{ visits: { a: 1, b: 2 } }] }], visits: { layer: 'v' } },
        wall: { loop: { layer: 'h', status: 's', steps: [{ value: 'n', time: 't' }, { value: 'd', time: 'done' }], done: 'done', due: 'due', by: 'k' },
            ranking: { by: 'u', layer: 'h', done: 'done', due: 'due', per: [{ exposure: 'visit', scale: 100 }, { exposure: 'house', scale: 1 }, { exposure: 'nothing', scale: 1 }] },
            map: { heat: 'heat:h', tour: { layer: 'h' }, hazards: { layer: 'gone', filter: 'x', risk: 's' } } } });
    const urls = full.questions.map((q) => q.url(now));
    assert.equal(new Set(full.questions.map((q) => q.key)).size, urls.length, 'each is asked once');
    for (const url of urls) assert.match(url, /^\/(stats\/\w+|coverage\/(patrol|service)|hotspots\/\w+|collections\/\w+\/items|legend\/heat:\w+\.json)(\?|$)/);
    assert.equal(full.parts.map.hazards, null);
    // A place is found by what the map shows; only where that is no density by what the city says.
    const tourUrl = (map) => new URL(plan({ title: 'x', synthetic: true, maps: [{ name: 'heat:h', kind: 'heat' }, { name: 'heat:model', kind: 'heat' }], layers: [layer('h')], wall: { map } }).questions.find((q) => q.key === 'tour').url(now), 'http://x').searchParams.get('per');
    assert.equal(tourUrl({ heat: 'heat:h', tour: { layer: 'h', per: 'visit' } }), 'area');
    assert.equal(tourUrl({ heat: 'heat:model', tour: { layer: 'h', per: 'visit' } }), 'visit');
    // What is visited is told by whole months to some: the rate is of one for all, and so are the rows behind it.
    const [visit, house, ...more] = full.parts.ranking.per;
    assert.equal(more.length, 0);
    for (const [per, time] of [[visit, '2023-05-01/2023-05-31'], [house, '2023-05-30/2023-06-26']]) {
        assert.equal(new URL(full.questions.find((q) => q.key === per.key).url(now), 'http://x').searchParams.get('datetime'), time);
        assert.equal(new URLSearchParams(per.rows(now, 'a').split('#')[1]).get('time'), time);
    }
    // Shares and rates that stand beside each other are of the same whole days, at whatever time of day.
    const inTime = full.questions.find((q) => q.key === full.parts.ranking.inTime);
    for (const [moment, from, to] of [['2023-06-27T00:00:00+08:00', '2023-05-29T16:00:00Z', '2023-06-26T16:00:00Z'], ['2023-06-27T11:14:10+08:00', '2023-05-29T16:00:00Z', '2023-06-26T16:00:00Z'], ['2023-06-28T00:00:00+08:00', '2023-05-30T16:00:00Z', '2023-06-27T16:00:00Z']]) {
        const then = new Moment(moment), filter = new URL(inTime.url(then), 'http://x').searchParams.get('filter');
        assert.deepEqual([[-1, from], [0, from], [-1, to], [0, to]].map(([s, at]) => holds(filter, { due: Date.parse(at) + s * 1000 })), [false, true, true, false], filter);
        const [first, last] = house.time(then).split('/').map((day) => Date.parse(`${day}T00:00:00+08:00`));
        assert.deepEqual([first, last + 864e5], [Date.parse(from), Date.parse(to)]);
        assert.ok(new URLSearchParams(full.parts.ranking.dueRows(then, 'a').split('#')[1]).get('filter').includes(filter), 'and so are the rows behind it');
    }
    for (const q of full.questions) assert.ok(!/undefined|NaN/.test(q.url(now)), q.url(now));
});

/** What a filter of the wall's says of a row: the few forms of CQL2 that it is written in. */
function holds(filter, row) {
    const js = filter.replace(/TIMESTAMP\('([^']*)'\)/g, (_, iso) => Date.parse(iso))
        .replace(/(\w+) IS NULL/g, 'row.$1 === null').replace(/\bAND\b/g, '&&').replace(/\bOR\b/g, '||')
        .replace(/(?<![.\w])(\w*[a-z]\w*) (<=|>=|<|>)/g, '(row.$1 ?? NaN) $2');
    return Function('row', `return ${js}`)(row);
}

test('the usual day is one like today', () => {
    // Mondays have 70, 80, 90 and 100 an hour, other days 10.
    const now = new Moment('2023-06-26T14:05:00+08:00'), day = (back) => new Date(Date.parse('2023-06-26T00:00:00Z') - back * 864e5).toISOString().slice(0, 10);
    const rows = (back, n) => Array.from({ length: 24 }, (_, h) => ({ id: `${day(back)}T${String(h).padStart(2, '0')}:00:00+08:00`, count: n }));
    const groups = [{ id: null, count: 5 }, ...rows(0, 85).slice(0, 15), ...Array.from({ length: 28 }, (_, i) => rows(i + 1, (i + 1) % 7 ? 10 : 60 + (i + 1) / 7 * 10)).flat()];
    const usual = usualDay(groups, now);
    assert.deepEqual([usual.weekday, usual.days, usual.back], [1, 4, [7, 14, 21, 28]]);
    for (const h of [0, 1, 14, 24]) assert.equal(usual.middle[h], 85 * h);
    // The band is of what comes in an hour; of today as far as hours are over.
    for (const h of [0, 13, 23]) assert.deepEqual([usual.byHour.low[h], usual.byHour.middle[h], usual.byHour.high[h]], [70, 85, 100]);
    assert.deepEqual(usual.byHour.today, Array(14).fill(85));
    // Of the hour that runs there is what has come; the usual day stands at the same minute.
    assert.deepEqual(usual.today.slice(-2), [[14, 85 * 14], [14 + 1 / 12, 85 * 15]]);
    assert.deepEqual([usual.sofar, usual.counted], [85 * 15, (70 + 80 + 90 + 100) * 24]);
    assert.ok(Math.abs(usual.usual - 85 * (14 + 1 / 12)) < 1e-6);
    // At an earlier moment nobody knows how the hour stood.
    const then = usualDay(groups, new Moment('2023-06-26T10:40:00+08:00'), false);
    assert.deepEqual([then.sofar, then.usual, then.today.at(-1)], [850, 850, [10, 850]]);
    // A city of three weeks' quiet: one Monday is no usual Monday.
    const young = usualDay(groups.filter((g) => g.id && g.id.slice(0, 10) >= day(10)), now);
    assert.deepEqual([young.weekday, young.days, young.middle[24]], [null, 10, 240]);
    assert.deepEqual([usualDay([], now).weekday, usualDay([], now).middle[24]], [null, 0]);
});

test('the loop as it stood', () => {
    const steps = ['reported', 'accepted', 'dispatched', 'resolved', 'verified'], hourMs = 36e5;
    const then = new Moment('2023-06-26T14:00:00+08:00');
    let seed = 5;
    const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
    // Rows come to their steps in order, some of them within the last moment and some later.
    const rows = Array.from({ length: 500 }, () => {
        let at = then.utcMs + (random() * 80 - 70) * 24 * hourMs;
        const reach = Math.floor(random() * 6), row = { due: at + 5 * 24 * hourMs, severity: 1 + Math.floor(random() * 4) };
        for (const [i, s] of steps.entries()) {
            row[s] = i <= reach ? Math.round(at) : null;
            at += random() < 0.1 ? 0 : random() * 20 * 24 * hourMs;
        }
        return row;
    });
    const loop = { layer: 'h', by: 'k', done: 'resolved', due: 'due', status: 'status', steps: steps.map((s) => ({ value: s, time: s })) };
    const { questions, passed } = loopAt(loop, { layer: 'h', risk: 'severity', total: 'serious', filter: 'severity >= 3 AND resolved IS NULL' }, then);
    const counted = (url) => {
        const filter = new URL(url, 'http://h').searchParams.get('filter');
        return rows.filter((r) => holds(filter, r)).length;
    };
    const came = (r, s) => r[s] !== null && r[s] <= then.utcMs, stands = (r) => steps.filter((s) => came(r, s)).at(-1);
    const status = statusOf(loop, passed.map((url) => ({ count: counted(url) })));
    assert.equal(status.count, rows.filter((r) => came(r, 'reported')).length);
    for (const { id, count: n } of status.groups) assert.equal(n, rows.filter((r) => stands(r) === id).length, id);
    const open = rows.filter((r) => came(r, 'reported') && !came(r, 'resolved')), key = (k) => counted(questions.find((q) => q.key === k).url);
    assert.ok(open.length > 20 && open.length < status.count);
    assert.deepEqual(['age:0', 'age:1', 'age:2', 'age:3'].map(key),
        [[0, 1], [1, 7], [7, 30], [30, Infinity]].map(([from, to]) => open.filter((r) => then.utcMs - r.reported >= from * 24 * hourMs && then.utcMs - r.reported < to * 24 * hourMs).length));
    assert.equal(key('overdue'), open.filter((r) => r.due < then.utcMs).length);
    assert.equal(key('serious'), open.filter((r) => r.severity >= 3).length);
    assert.ok(!loopAt(loop, { layer: 'h', filter: 'severity = 4', total: 'serious', risk: 'severity' }, then).questions.some((q) => q.key === 'serious'), 'not known to be open');
});

/** A wall that plays: what is made ready takes so long on a clock of its own. */
async function replayed({ takesMs, fails = () => false }) {
    const clock = makeClock(), shown = [], told = [], points = [], asked = [], said = [];
    const zone = new Moment('2023-06-27T00:00:00+08:00'), hourMs = 36e5;
    const wall = { clock: zone, catalog: {}, tour: { paused: false, pause() {}, show() {} }, store: {}, hear() {}, tell() {},
        part: { map: {}, loop: { layer: 'h', status: 'status', steps: [{ title: 'reported', time: 'at' }], unit: '' } },
        overlay: { setMark() {}, setReplay() {}, addReplay: (p) => points.push(...p), play: (share) => told.push([clock.ms, share]) },
        map: { choose() {}, go: async () => {}, fieldNow() {}, fieldAt: async (then) => () => shown.push([clock.ms, (then.utcMs - zone.utcMs) / hourMs + 24]) },
        replaying() {}, tellReplay: (_, sentence) => said.push([sentence, shown.at(-1)?.[1]]) };
    const replay = new Replay(wall, clock);
    globalThis.document = { documentElement: { lang: 'en' } };
    const wait = (ms) => new Promise((resolve) => clock.after(resolve, ms));
    replay.answers = async (then) => {
        const i = Math.round((then.utcMs - zone.utcMs) / hourMs + 24);
        await wait(typeof takesMs === 'function' ? takesMs(i) : takesMs);
        if (fails(i)) throw new Error('no');
        return new Map([['status', { value: { count: i * 10 } }]]);
    };
    replay.points = async (from, to) => {
        asked.push([(from.utcMs - zone.utcMs) / hourMs + 24, (to.utcMs - zone.utcMs) / hourMs + 24]);
        return Array.from({ length: 4 }, (_, k) => ({ lonDeg: 0, latDeg: 0, risk: 1, at: replay.shareOf(from.utcMs + (k + 1) / 4 * (to.utcMs - from.utcMs)) }));
    };
    let over = NaN;
    const running = replay.start().then(() => { over = clock.ms; });
    await clock.go(200000);
    await running;
    delete globalThis.document;
    return { shown, told, points, asked, said, over };
}

test('24 hours in a minute, however slow the machine is', async () => {
    const warn = console.warn;
    console.warn = () => {};
    for (const [takesMs, all] of [[200, true], [2000, true], [3100, false], [9000, false], [(i) => i === 7 ? 8000 : 100, false]]) {
        const { shown, told, points, asked, said, over } = await replayed({ takesMs });
        const first = shown[0][0], what = String(takesMs);
        assert.ok(over - first >= 60000 && over - first < 60500, `${what}: ${over - first} ms`);
        assert.deepEqual([shown[0][1], shown.at(-1)[1]], [0, 24], what);
        assert.equal(shown.length === 25, all, `${what}: ${shown.length}`);
        for (const [at, hour] of shown) {
            const dueMs = first + hour * 60000 / 26;
            // Never before its time, and late by no more than what it takes.
            assert.ok(at >= dueMs - 1 && at <= dueMs + 9200, `${what}: hour ${hour} at ${at - dueMs}`);
        }
        // Words and numbers are of one moment: that of the hour that is shown.
        assert.deepEqual(said.slice(1), shown.map(([, hour]) => [`${String(hour % 24).padStart(2, '0')}:00 · reported ${10 * hour}`, hour]), what);
        // What came in is there once, whichever hours are left out.
        assert.equal(asked[0][0], 0);
        assert.equal(asked.at(-1)[1], 24);
        for (let i = 1; i < asked.length; i++) assert.equal(asked[i][0], asked[i - 1][1]);
        assert.equal(points.length, 4 * asked.length);
        assert.deepEqual(told.map(([, share]) => share), told.map(([, share]) => share).sort((a, b) => a - b), 'never back');
    }
    // What cannot be made is left out, and what came in it is told with the next.
    const { shown, asked } = await replayed({ takesMs: 100, fails: (i) => i === 5 || i === 6 });
    assert.deepEqual(shown.map(([, hour]) => hour), Array.from({ length: 25 }, (_, i) => i).filter((i) => i !== 5 && i !== 6));
    assert.ok(asked.some(([from, to]) => from === 5 && to === 8));
    console.warn = warn;
});

test('points out of tiles', () => {
    // A tile by hand: layer "p", keys s and t, values 3 and "x", points at 1024,2048 and -8,0.
    const bytes = (...parts) => parts.flat(), field = (n, body) => [n << 3 | 2, body.length, ...body], text = (t) => [...Buffer.from(t)];
    const feature = (tags, geometry) => field(2, bytes([8, 7], field(2, tags), [24, 1], field(4, geometry)));
    const layer = bytes([120, 2], field(1, text('p')), feature([0, 0, 1, 1], [9, 128, 16, 128, 32]), feature([], [9, 15, 0]), field(3, text('s')), field(3, text('t')),
        field(4, [40, 3]), field(4, field(1, text('x'))), [40, 128, 32]);
    const tile = new Uint8Array(field(3, layer));
    assert.deepEqual(pointsOfTile(tile, 'p'), [{ x: 0.25, y: 0.5, properties: { s: 3, t: 'x' } }, { x: -8 / 4096, y: 0, properties: {} }]);
    assert.deepEqual(pointsOfTile(tile, 'q'), []);
    assert.deepEqual(pointsOfTile(new Uint8Array(), 'p'), []);
    for (let n = 1; n < tile.length; n++) assert.throws(() => pointsOfTile(tile.subarray(0, n), 'p'), RangeError, `${n} bytes`);
    for (const view of [[113.5, 22.6, 114.3, 23.2], [-180, -85, 180, 85], [113.75, 22.9, 113.7500001, 22.9000001]]) {
        const tiles = tilesOf(view);
        assert.ok(tiles.length >= 1 && tiles.length <= 12);
        assert.equal(new Set(tiles.map((t) => t.z)).size, 1);
    }
});

test('hidden, nothing and unknown are three things', () => {
    assert.deepEqual([count('zh-CN', null), count('zh-CN', 0), count('zh-CN', undefined), count('en', NaN)], ['·', '0', '?', '?']);
    assert.deepEqual([percent(null), percent(0), percent(undefined)], ['·', '0.0%', '?']);
    assert.deepEqual([plus([1, null, 2]), plus([1, undefined]), plus([1, 2]), plus([])], [null, NaN, 3, 0]);
    assert.deepEqual(parts('zh-CN', 20000, null), ['2万', '·', '·']);
});

test('what a wall does by itself', () => {
    const zoneMs = 8 * 36e5, at = (iso) => Date.parse(iso), until = (time, iso) => untilTime(time, at(iso), zoneMs);
    assert.equal(until('08:00', '2023-06-26T07:59:00+08:00'), 60000);
    assert.equal(until('08:00', '2023-06-26T08:00:00+08:00'), 864e5, 'not twice');
    assert.equal(until('00:30', '2023-06-26T23:30:00+08:00'), 36e5);
    assert.equal(until('23:30', '2023-06-26T00:00:00Z'), 15.5 * 36e5, 'of the city');
    assert.equal(untilTime('08:00', at('1969-12-31T23:00:00Z'), -9 * 36e5), 18 * 36e5);
    for (const none of ['', '24:00', '8:00', '08:60', 'x']) assert.equal(until(none, '2023-06-26T08:00:00Z'), null);
    const night = { ageMs: 864e5, quietMs: 120000, utcMs: at('2023-06-27T04:10:00+08:00'), zoneMs, heapBytes: 5e7, silent: false };
    assert.equal(mayReload(night), true);
    for (const [why, other] of Object.entries({ young: { ageMs: 36e5 }, busy: { quietMs: 1000 }, day: { utcMs: at('2023-06-27T14:10:00+08:00') }, silent: { silent: true } }))
        assert.equal(mayReload({ ...night, ...other }), false, why);
    assert.equal(mayReload({ ...night, quietMs: 0, utcMs: at('2023-06-27T05:00:00+08:00') }), true, 'a city that never rests');
    assert.equal(mayReload({ ...night, ageMs: 36e5, heapBytes: 2e9 }), true);
    assert.equal(mayReload({ ...night, heapBytes: 2e9, silent: true }), false);
    assert.equal(mayReload({ ...night, busy: true }), false, 'somebody looks');
    // In an hour of its own, at its end whatever happens.
    for (const hour of [0, 13, 23]) for (let now = 0; now < 24; now++) {
        const utcMs = at('2023-06-27T00:00:00+08:00') + now * 36e5;
        assert.equal(mayReload({ ...night, hour, utcMs }), now === hour || now === (hour + 1) % 24, `${hour} ${now}`);
        assert.equal(mayReload({ ...night, hour, quietMs: 0, utcMs: utcMs + 55 * 60000 }), now === hour || now === (hour + 1) % 24);
        assert.equal(mayReload({ ...night, hour, quietMs: 0, utcMs: utcMs + 30 * 60000 }), now === (hour + 1) % 24);
    }
    assert.deepEqual(['03', '03:00', '23', '24', '3', '03:30', ''].map(readHour), [3, 3, 23, null, null, null, null]);
});

test('the quietest hour is found by what happens', () => {
    const zoneMs = 8 * 36e5, midnight = Date.parse('2023-06-27T00:00:00+08:00'), day = (hours, d, busy) => {
        for (let hour = 0; hour < 24; hour++) for (let i = 0; i < busy(hour); i++) hours.note(midnight + d * 864e5 + hour * 36e5 + i * 1000, zoneMs);
    };
    const hours = new Hours();
    assert.equal(hours.quietest, 4, 'of nothing, at night');
    // A market that sleeps at noon.
    const market = (hour) => 5 + Math.abs(hour - 13) * 3;
    day(hours, 0, market);
    assert.equal(hours.quietest, 13);
    assert.equal(new Hours(hours.text).quietest, 13, 'a page that begins anew knows it');
    // It has changed its ways: soon that counts more than what was.
    for (let d = 1; d < 4; d++) day(hours, d, (hour) => 5 + Math.abs(hour - 2) * 3);
    assert.equal(hours.quietest, 2);
    for (const none of [null, '', 'x', '{}', '{"each":[1],"at":0}', '{"each":"x","at":0}']) assert.equal(new Hours(none).quietest, 4);
});
