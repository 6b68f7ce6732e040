// A period that is moved over half a year: one request a tile.
//
// Plan
//   bytes that are no tile of days are refused, whatever is cut off or changed
//   sums that follow a moving period are those of the period, forth and back;
//     faded ones are each day's by its age
//   the busiest period of a length is the largest of all sums within the days, faded
//     or not, and looks at no day beyond them or to come
//   scrubbing over all days asks for each tile once and for nothing else, by
//     pictures and by MapLibre; what a step shows is what the server's picture
//     then shows, legend included, where each step has its own; so with a weight,
//     a half-life, as lines
//   else one legend is held, that of the busiest period so long (as /stats and the
//     settled picture have it): a quiet one is paler, also while it is played; the
//     legend says so, and the link whether it is held
//   keys and playing do the same; the address has the period when it rests;
//     numbers beside the map are dimmed until they are of that period
//   so units by one answer with their counts by day and a tile each that says
//     where they lie, alone and under a heat map; points; and both sides of a
//     comparison, which have one legend
//   what follows only at rest says so, and asks for nothing before; a server
//     without tiles of days is asked for pictures, as ever
//   rows that are written are in the next step
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';

import { readDayTile, Sums } from '../../web/pages/analyst/daytile.js';
import { busiest, FieldView, weightOf } from '../../web/pages/analyst/stepviews.js';
import { browse, idle, mapWaits, skip, until } from './analyst_page.mjs';
import { onTheirWay, rest as restPage, stillShot } from './chromium.mjs';
import { done, folder, random } from './onemap.mjs';
import { decode } from './png.mjs';
import { serve } from './server.mjs';

/** Whole numbers of chance. */
function whole(seed) {
    const next = random(seed);
    return () => Math.floor(next() * 2 ** 30);
}

/** Bytes of a tile of so many cells and days, and its sums [cell][day]. */
function made(seed, columns = 9, rows = 7, days = 40) {
    const next = whole(seed), bytes = [...Buffer.from('OMD1')], real = (v) => bytes.push(...new Uint8Array(new Float64Array([v]).buffer));
    const varint = (v) => { for (; v > 127; v = Math.floor(v / 128)) bytes.push(v % 128 + 128); bytes.push(v); };
    const signed = (v) => varint(v < 0 ? -2 * v - 1 : 2 * v);
    const sums = Array.from({ length: columns * rows }, () => Array.from({ length: days }, () => (next() % 3 ? 0 : next() % 9 - 2)));
    const cells = sums.map((s, cell) => ({ cell, list: s.flatMap((n, day) => (n ? [[day, n]] : [])) })).filter((c) => c.list.length);
    real(800); real(1);
    [0, 12, 3341, 1778, 12, 855296, 455168, columns, rows].forEach(varint);
    signed(19355); varint(days); varint(cells.length); varint(cells.reduce((sum, c) => sum + c.list.length, 0));
    let cell = 0;
    for (const c of cells) {
        varint(c.cell - cell);
        varint(c.list.length);
        cell = c.cell + 1;
        let day = 0;
        for (const [d, n] of c.list) {
            varint((d - day) * 2 + (n === 1 ? 0 : 1));
            if (n !== 1) signed(n);
            day = d + 1;
        }
    }
    return { bytes: Uint8Array.from(bytes), sums };
}

test('bytes that are no tile of days', () => {
    const { bytes } = made(1), next = whole(5);
    readDayTile(bytes);
    for (let n = 0; n < bytes.length; n++) assert.throws(() => readDayTile(bytes.subarray(0, n)), RangeError, `${n} of ${bytes.length}`);
    assert.throws(() => readDayTile(Uint8Array.from([...bytes, 0])), RangeError);
    for (let i = 0; i < 3000; i++) {
        const other = bytes.slice();
        for (let k = 0; k <= i % 4; k++) other[next() % other.length] = next() % 256;
        try {
            const tile = readDayTile(other);
            assert.ok(tile.cell.every((c) => c < tile.columns * tile.rows) && tile.at[tile.days] === tile.cell.length);
        } catch (error) {
            assert.ok(error instanceof RangeError, error.stack);
        }
    }
});

test('sums follow the period', () => {
    const { bytes, sums } = made(2), tile = readDayTile(bytes), moving = new Sums(tile), next = whole(7);
    const of = (from, to, weigh = () => 1) => sums.map((days) => days.reduce((sum, n, d) => sum + (d >= from && d < to ? n * weigh(d) : 0), 0));
    for (let i = 0; i < 500; i++) {
        const from = next() % 60 - 10, to = from + next() % 45;
        assert.deepEqual([...moving.set(tile.first + from, tile.first + to)], of(from, to), `[${from}, ${to})`);
        if (i % 50) continue;
        const faded = moving.fade(tile.first + from, tile.first + to, 5, tile.first + to), own = of(from, to, (d) => 2 ** -((to - d - 0.5) / 5));
        assert.ok(own.every((n, c) => Math.abs(n - faded[c]) < 1e-9));
    }
});

test('the busiest period of a length', () => {
    const next = whole(11), counts = Array.from({ length: 60 }, () => next() % 50), days = new Map(counts.map((n, d) => [d, n]));
    for (let i = 0; i < 200; i++) {
        const from = next() % 30, to = from + 1 + next() % 30, length = 1 + next() % (to - from), halfLife = i % 2 ? 0 : 1 + next() % 20, now = i % 3 ? Infinity : to - 0.5;
        const sums = [];
        for (let a = from; a <= to - length; a++) {
            const end = Math.min(a + length, now);
            sums.push(counts.slice(a, a + length).reduce((sum, n, k) => sum + (!halfLife ? n : a + k < end ? n * 0.5 ** ((end - (a + k) - 0.5) / halfLife) : 0), 0));
        }
        const best = busiest({ from, to }, length, (a) => ({ own: { from: a, to: a + length, at: Math.min(a + length, now) }, other: null }), (m) => weightOf(days, m.own.from, m.own.to, halfLife, m.own.at)), { own } = best;
        assert.ok(own.from >= from && own.to <= to && own.to - own.from === length);
        assert.ok(Math.abs(weightOf(days, own.from, own.to, halfLife, own.at) - Math.max(...sums)) < 1e-9, `${length} days of [${from}, ${to})`);
    }
    // Of two sides that pair has most that has most together, not one of which all stands for nothing.
    const sums = new Map(counts.map((n, d) => [d, n])), all = counts.reduce((a, b) => a + b, 0), legend = { total: all, scale: 1, steps: [{ from: all, color: '#ffffff', opacity: 1 }] };
    const [a, b] = [0, 1].map(() => new FieldView(legend, sums, { halfLife: 0, template: '' })), at = (from) => ({ own: { from, to: from + 5, at: from + 5 }, other: { from: from - 5, to: from, at: from } });
    [a.other, b.other] = [b, a];
    const ten = (from) => counts.slice(Math.max(0, from - 5), from + 5).reduce((x, y) => x + y, 0), pair = busiest({ from: 0, to: 60 }, 5, at, (m) => a.much(m));
    assert.equal(ten(pair.own.from), Math.max(...counts.map((_, from) => (from <= 55 ? ten(from) : 0))));
    assert.equal(a.legendOf(pair, 5).steps[0].from, ten(pair.own.from) / 2);
    assert.equal(a.legendOf(at(0), 0).steps[0].from, ten(0), 'a side that has nothing says nothing');
    // Of two filters the closer one says how far the legend goes.
    const [c, d] = [2, 6].map((focus) => new FieldView({ ...legend, focus: 2 }, sums, { halfLife: 0, template: '', focus }));
    [c.other, d.other] = [d, c];
    for (const side of [c, d]) assert.ok(Math.abs(side.legendOf(pair, 5).steps[0].from / (3 * ten(pair.own.from) / 2) - 1) < 1e-12);
    assert.equal(busiest({ from: 0, to: 5 }, 6, () => assert.fail('there is none'), () => 0), null);
});

test('half a year is stepped through', { skip }, async (t) => {
    const dir = await folder(t), city = path.join(dir, 'city');
    await done('synth', path.join(dir, 'files'), '--scale', '0.005', '--quiet');
    await done('import', city, '--all', path.join(dir, 'files'), '--quiet');
    const server = await serve(t, city);

    const { page: blank } = await browse(t, 'about:blank', { width: 1100, height: 680 });
    /** A page, what it asks for, and how its days are pointed at. */
    async function open(t, hash, search = '') {
        const page = await blank.context().newPage(), log = { way: onTheirWay(page), said: [], bad: [] }, asked = [];
        t.after(() => page.close());
        page.on('pageerror', (e) => log.said.push(e.message));
        page.on('console', (m) => { if (m.type() === 'error') log.said.push(m.text()); });
        page.on('response', (r) => { if (r.status() >= 400) log.bad.push(`${r.status()} ${r.url()}`); });
        await page.goto(`${server.url}/analyst?${search}#${hash}`);
        page.on('request', (r) => { if (!/\/(changes|icon)/.test(r.url())) asked.push(decodeURIComponent(r.url().slice(server.url.length))); });
        await until('bars', () => page.evaluate(() => document.querySelectorAll('#days rect').length > 100));
        const rest = () => idle(page, log);
        await rest();
        const days = await page.evaluate(() => document.querySelectorAll('#days rect').length), box = await page.locator('#days').boundingBox();
        const to = (day) => page.mouse.move(box.x + (day + 0.5) / days * box.width, box.y + box.height / 2);
        const boxes = (await Promise.all(['#map', '#map-b'].map((id) => page.locator(id).boundingBox()))).filter((b) => b), right = Math.max(...boxes.map((b) => b.x + b.width)), map = { ...boxes[0], width: right - boxes[0].x };
        const shot = async () => decode(await stillShot(page, { clip: map, animations: 'disabled' }));
        /** Keys that follow each other before it rests, however slow the machine is. */
        const keys = (...names) => page.evaluate((list) => {
            for (const key of list) document.getElementById('days').dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
        }, names);
        const legend = () => page.$$eval('#legend .ticks span, #legend .item', (ticks) => ticks.map((n) => n.textContent));
        const period = () => page.evaluate(() => /time=([^&]*)/.exec(location.hash)?.[1] ?? '');
        const note = () => page.$eval('#period-note', (n) => n.textContent);
        return { page, log, asked, rest, days, to, keys, shot, legend, period, note };
    }

    /** Share of pixels that differ by more than a step of colour, and how much all do. */
    function differ(a, b) {
        let far = 0, sum = 0;
        for (let i = 0; i < a.rgba.length; i += 4) {
            const d = Math.max(...[0, 1, 2].map((c) => Math.abs(a.rgba[i + c] - b.rgba[i + c])));
            sum += d;
            far += d > 40;
        }
        return { far: far / (a.rgba.length / 4), mean: sum / (a.rgba.length / 4) };
    }

    /** The right half of a picture. */
    function rightOf({ width, height, rgba }) {
        const half = Math.floor(width / 2), rows = Array.from({ length: height }, (_, y) => rgba.subarray((y * width + width - half) * 4, (y + 1) * width * 4));
        return { width: half, height, rgba: Buffer.concat(rows) };
    }

    for (const [what, hash, search] of [['MapLibre, points over a heat map', '&layers=heat@80,hazard', 'map=gl'], ['a weight, a filter, a half-life, another kernel', '&weight=severity&filter=severity+%3E%3D+2&halflife=20&kernel=gaussian&bandwidth=1600', 'map=pictures'],
        ['lines, near', '&form=lines&bandwidth=3200&map=12/22.96/113.75', 'map=pictures'], ['units', '&layers=choropleth&units=grid', 'map=pictures'],
        ['rates of units', '&layers=choropleth&stat=rate&per=address&units=grid&filter=severity+%3E%3D+2', 'map=pictures'], ['points over a heat map, near, filtered', '&layers=heat@70,hazard&filter=severity+%3E%3D+2&map=13.2/22.96/113.75', 'map=pictures'],
        ['the period before', '&compare=previous', 'map=pictures'], ['another filter, units and points, swiped', '&compare=&other=severity+%3C+3&layers=choropleth,hazard&units=village&split=swipe', 'map=pictures'], ['a period of its own, heat over units', '&compare=2023-03-01/2023-03-31&layers=choropleth,heat@70&form=fill', 'map=pictures'],
        ['sums of units under a heat map', '&layers=choropleth,heat@60&form=fill&units=village&stat=sum&column=severity&filter=severity+%3E%3D+2', 'map=gl']])
        await t.test(what, async (t) => {
            const { page, log, asked, rest, days, to, shot, legend, period } = await open(t, `layer=hazard&time=2023-01-10/2023-02-20&scale=own${hash}`, search);
            await to(20);
            await rest();
            const once = (u) => /\.(days|units)\?|series=day/.test(u), tiles = asked.filter(once);
            assert.ok(tiles.length >= 2, `${tiles.length} tiles`);
            assert.equal(tiles.filter((u) => /series=/.test(u)).length, !/choropleth/.test(hash) ? 0 : /other=/.test(hash) ? 2 : 1);
            assert.equal(new Set(tiles).size, tiles.length);
            const before = await shot();
            const begun = asked.length;
            await page.mouse.down();
            // Software draws MapLibre's map slowly.
            for (let day = 21; day < days - 30; day += /gl/.test(search) ? 20 : 3) await to(day);
            for (let day = days - 31; day > 80; day -= 9) await to(day);
            const { first, last } = await page.evaluate(() => ({ first: document.getElementById('from').value, last: document.getElementById('to').value }));
            await until('the last step is drawn', () => page.evaluate((time) => document.getElementById('days').dataset.drawn === time, `${first}/${last}`));
            const held = await shot(), told = await legend();
            assert.deepEqual(asked.slice(begun), [], 'nothing is asked for while it is moved');
            assert.ok(differ(before, held).mean > 0.3, 'another period is seen');
            if (/compare=previous|other=/.test(hash)) assert.ok(differ(rightOf(before), rightOf(held)).mean > 0.3, 'on the other side, too');
            await page.mouse.up();
            await until('the address has it', async () => (await period()) !== '2023-01-10/2023-02-20');
            await rest();
            const settled = await shot(), { far, mean } = differ(held, settled);
            t.diagnostic(`${tiles.length} tiles, ${days} days; ${(100 * far).toFixed(2)} % of the pixels are far off, all by ${mean.toFixed(2)}`);
            // Lines are thin, and half as fine.
            assert.ok(/lines/.test(what) ? far < 0.06 && mean < 6 : far < 0.01 && mean < 1.5, `${far} ${mean}`);
            // What fades does so by days in the page, and by seconds in the server: a figure may be rounded the other way.
            const then = await legend(), number = (text) => parseFloat(text.replace('≥', '')), near = (a, b) => a.replace(/[\d.]/g, '') === b.replace(/[\d.]/g, '') && Math.abs(number(a) - number(b)) <= 0.03 * number(b);
            assert.ok(then.length === told.length && then.every((text, i) => (/halflife/.test(hash) ? near(told[i], text) : told[i] === text)), `the legend is that of the period: ${told} ${then}`);
            assert.equal(asked.filter(once).length, tiles.length, 'each tile of days is asked for once');
            const pictures = asked.slice(begun).filter((u) => /^\/tiles\/((heat|choropleth):|hazard\/)/.test(u));
            assert.equal(new Set(pictures).size, pictures.length, 'and each picture of where it rests');
            assert.ok(pictures.every((u) => u.includes(`datetime=${pictures[0].match(/datetime=([^&]*)/)[1]}`)), 'of that period alone');
            assert.deepEqual(log.said, []);
            assert.deepEqual(log.bad, []);
        });

    /** How much heat is seen: it is redder than blue, and nothing else of the map is. */
    function redness({ rgba }) {
        let sum = 0;
        for (let i = 0; i < rgba.length; i += 4) sum += Math.max(0, rgba[i] - rgba[i + 2]);
        return sum / (rgba.length / 4);
    }

    // How the map draws them does not matter to legends.
    await t.test('one legend while it moves', async (t) => {
        const LENGTH = 7, MIDDLE = 3;
        const { page, log, asked, rest, days, to, shot, legend, period } = await open(t, 'layer=hazard&time=2023-01-10/2023-01-16&layers=heat@0', 'map=pictures');
        const { groups } = await (await fetch(`${server.url}/stats/hazard?by=day`)).json(), first = groups.map((g) => g.id).sort()[0].slice(0, 10);
        const index = (date) => (Date.parse(date.slice(0, 10)) - Date.parse(first)) / 86400000, counts = new Array(days).fill(0);
        for (const g of groups) counts[index(g.id)] = g.count;
        const sums = counts.slice(LENGTH - 1).map((_, i) => counts.slice(i, i + LENGTH).reduce((a, b) => a + b, 0)), busy = sums.indexOf(Math.max(...sums)), quiet = sums.indexOf(Math.min(...sums));
        assert.ok(sums[busy] > 2 * sums[quiet], `${sums[busy]} and ${sums[quiet]} reports`);
        const bare = redness(await shot()), begin = index('2023-01-10'), told = new Set(), own = await legend();
        await page.evaluate(() => { location.hash = location.hash.replace('heat@0', 'heat@90'); });
        await to(begin + MIDDLE);
        await rest();
        const drawn = () => page.evaluate(() => document.getElementById('days').dataset.drawn === `${document.getElementById('from').value}/${document.getElementById('to').value}`);
        /** The period, whose middle is held, begins there. */
        const go = async (from) => {
            await to(from + MIDDLE);
            await until('the step is drawn', drawn);
            assert.equal(await page.$eval('#from', (box) => box.value), new Date(Date.parse(first) + from * 86400000).toISOString().slice(0, 10));
        };
        const held = async (from) => {
            await go(from);
            told.add((await legend()).join(' '));
            assert.match(await page.$eval('#legend', (n) => n.textContent), /图例不变 · 任意 7 天/);
        };
        const begun = asked.length;
        await page.mouse.down();
        for (let from = 0; from <= days - LENGTH; from += 40) await held(from);
        await held(quiet);
        const pale = redness(await shot()) - bare;
        await held(busy);
        const image = await shot(), full = redness(image) - bare;
        assert.equal(told.size, 1, `the legend is held: ${[...told].join(' | ')}`);
        assert.notDeepEqual(own.join(' '), [...told][0]);
        assert.deepEqual(asked.slice(begun), []);
        await page.mouse.up();
        await until('it rests', async () => index(await period()) === busy);
        await rest();
        const { far, mean } = differ(image, await shot());
        assert.ok(far < 0.01 && mean < 1.5, `the legend is that of the busiest week: ${far} ${mean}`);
        assert.equal((await legend()).join(' '), [...told][0]);
        assert.doesNotMatch(await page.$eval('#legend', (n) => n.textContent), /图例不变/);
        // Played, too; and each step its own where it is not held.
        await page.click('#play');
        for (let i = 0; i < 4; i++) {
            const before = await page.$eval('#from', (box) => box.value);
            await until('it plays', () => page.$eval('#from', (box, was) => box.value !== was, before));
            assert.ok(told.has((await legend()).join(' ')));
        }
        await page.click('#hold-scale');
        await until('each step has its own', async () => !told.has((await legend()).join(' ')) && !/图例不变/.test(await page.$eval('#legend', (n) => n.textContent)));
        assert.equal(await page.getAttribute('#hold-scale', 'aria-pressed'), 'false');
        await page.click('#play');
        await until('the link has it', () => page.evaluate(() => /scale=own/.test(location.hash)));
        await rest();
        await to(index(await period()) + MIDDLE);
        await page.mouse.down();
        await go(quiet);
        const same = redness(await shot()) - bare;
        t.diagnostic(`${sums[quiet]} and ${sums[busy]} reports: ${pale.toFixed(3)} and ${full.toFixed(3)}, by its own legend ${same.toFixed(3)}`);
        assert.ok(pale < 0.5 * full && pale < 0.8 * same, `a quiet week is paler: ${pale} ${full} ${same}`);
        await page.mouse.up();
        await rest();
        assert.deepEqual(log.said, []);
        assert.deepEqual(log.bad, []);
    });

    await t.test('keys and playing', async (t) => {
        const { page, asked, rest, to, keys, period, note } = await open(t, 'layer=hazard&time=2023-01-01/2023-01-14');
        await to(3);
        await rest();
        const tiles = asked.filter((u) => /\.days\?/.test(u)).length;
        await page.focus('#days');
        let begun = asked.length;
        await keys(...new Array(5).fill('ArrowRight'));
        await until('it rests', async () => (await period()) === '2023-01-06/2023-01-19');
        await rest();
        const pictures = () => asked.slice(begun).filter((u) => /^\/tiles\/heat:.*\.png/.test(u));
        // Numbers of another period than the map's are dimmed, and nothing else.
        const dimmed = () => page.evaluate(() => ['#pane-table', '.facets', '.reading'].map((s) => getComputedStyle(document.querySelector(s)).opacity < 0.5 && document.getElementById('behind').checkVisibility()));
        assert.deepEqual(await dimmed(), [false, false, false]);
        assert.ok(pictures().length && pictures().every((u) => u.includes('datetime=2023-01-06/2023-01-19')), 'steps between were not asked for');
        begun = asked.length;
        await page.click('#play');
        await until('it plays', async () => /19 |20 |1月1[0-9]日/.test(await note()) && /·/.test(await note()));
        await until('it has played some days', () => page.$eval('#from', (box) => box.value >= '2023-01-12'));
        assert.deepEqual(asked.slice(begun), [], 'nothing is asked for while it plays');
        assert.deepEqual(await dimmed(), [true, true, true]);
        assert.equal(await page.textContent('#behind'), '停下后更新');
        // So they stay until those of the new period are there.
        let answer = () => {};
        const kept = new Promise((done) => { answer = done; });
        await page.route(/\/stats\/hazard\?.*by=(town|village|grid)/, async (route) => {
            await kept;
            await route.continue();
        });
        assert.equal(await period(), '2023-01-06/2023-01-19');
        await page.click('#play');
        await until('it rests', async () => (await period()) > '2023-01-07');
        // All but the numbers that are kept.
        await restPage(page, new Set(), mapWaits);
        assert.deepEqual(await dimmed(), [true, true, true]);
        answer();
        await until('numbers of the period', async () => !(await dimmed()).some((d) => d));
        await page.unroute(/\/stats\/hazard\?.*by=(town|village|grid)/);
        const at = await period();
        assert.ok(pictures().every((u) => u.includes(`datetime=${at}`)));
        assert.equal(asked.filter((u) => /\.days\?/.test(u)).length, tiles);
        // Where it was already nothing is asked for.
        begun = asked.length;
        await page.focus('#days');
        await keys('ArrowRight', 'ArrowLeft');
        await rest();
        assert.deepEqual(asked.slice(begun), []);
        assert.equal(await period(), at);
    });

    await t.test('what waits until it rests', async (t) => {
        const { page, asked, rest, to, note, period } = await open(t, 'layer=hazard&layers=hotspots,heat@80&units=village&time=2023-01-10/2023-02-20&lang=en', 'lang=en');
        assert.equal(await note(), 'Drag over the bars; arrow keys move it');
        await to(20);
        await rest();
        await page.mouse.down();
        await to(40);
        await until('it says so', async () => /Follows when it rests: .*Hazard/i.test(await note()));
        await page.mouse.up();
        await until('it rests', async () => (await period()).startsWith('2023-01-30'));
        await rest();
        // What is tested is asked for when it rests.
        await page.evaluate(() => { location.hash = location.hash.replace('layers=hotspots,heat@80', 'layers=hotspots'); });
        await until('that is said, too', async () => /when you let go/.test(await note()));
        await rest();
        const begun = asked.length;
        await to(45);
        await page.mouse.down();
        await to(60);
        await rest();
        assert.deepEqual(asked.slice(begun), []);
        await page.mouse.up();
        await until('it rests', () => asked.slice(begun).some((u) => /^\/tiles\/choropleth:/.test(u)));
    });

    await t.test('without tiles of days, and with new rows', async (t) => {
        const { page, asked, rest, to, shot, period, log, note } = await open(t, 'layer=hazard&time=2023-01-10/2023-02-20');
        await page.route('**/*.days?*', (route) => route.fulfill({ status: 422, contentType: 'application/problem+json', body: '{"detail":"too much"}' }));
        await to(20);
        await rest();
        await page.mouse.down();
        await to(45);
        await until('it is not to be had', async () => /松开后更新/.test(await note()));
        await page.mouse.up();
        await until('the server draws it', () => asked.some((u) => /^\/tiles\/heat:.*\.png.*datetime=2023-02-0/.test(u)));
        await rest();
        log.said.length = 0;
        await page.unroute('**/*.days?*');
        const { features: [row] } = await (await fetch(`${server.url}/collections/hazard/items?limit=1`)).json();
        row.id = row.properties.id = 'test-of-steps';
        const answer = await fetch(`${server.url}/collections/hazard/items`, { method: 'POST', headers: { 'content-type': 'application/geo+json' }, body: JSON.stringify({ type: 'Feature', id: row.id, geometry: row.geometry, properties: row.properties }) });
        assert.equal(answer.status, 201);
        // What was refused is tried anew with the news.
        await until('it can be stepped through again', async () => {
            await to(30 + Math.floor(Math.random() * 5));
            return /方向键/.test(await note());
        });
        const begun = asked.length;
        await page.mouse.down();
        await to(60);
        await until('tiles of days', () => asked.slice(begun - 8).some((u) => /\.days\?/.test(u)));
        // News while it is held: what is seen stays until the new is there.
        await until('it is drawn', () => page.evaluate(() => document.getElementById('days').dataset.drawn === `${document.getElementById('from').value}/${document.getElementById('to').value}`));
        await rest();
        const held = await shot(), again = asked.length;
        row.id = row.properties.id = 'test-of-steps-2';
        assert.equal((await fetch(`${server.url}/collections/hazard/items`, { method: 'POST', headers: { 'content-type': 'application/geo+json' }, body: JSON.stringify({ type: 'Feature', id: row.id, geometry: row.geometry, properties: row.properties }) })).status, 201);
        await until('the news', () => asked.slice(again).some((u) => /^\/stats\/hazard\?by=day/.test(u)));
        await to(61);
        await until('they are asked for anew', () => asked.slice(again).some((u) => /\.days\?/.test(u)));
        await rest();
        assert.ok(differ(held, await shot()).mean < 3);
        await page.mouse.up();
        await rest();
        assert.ok((await period()).length > 0);
        assert.deepEqual(log.said, []);
    });
});
