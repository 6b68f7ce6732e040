// The analyst's page: its table of whatever is on the map, comparisons by one
// scale, every size, and a server that restarts under it.
//
// Plan
//   coverage: the table is what /coverage says of the chosen period, sorted,
//   linked with the map both ways, and its CSV has the same numbers
//   clusters: legend, table and a click say how many, how dense, by what rule
//   compared: one legend; the table has both sides and their difference, as
//   /stats says; the divider of two maps moves by pointer and key
//   so of hotspots and of coverage; a side shows all that the whole map showed,
//   and the map is as it was when nothing is compared any more
//   cells that are not significant are told from those without rows; dates are
//   written the same whatever the browser speaks, and read as they are typed
//   a time without data is said to be one; what takes long is named; answers that
//   come when nobody waits for them any more are not shown
//   in English units, cells, departments and findings have English names
//   heat over coloured units: lines, and two ramps
//   a phone shows the map first; large screens have large letters; nothing is
//   wider than its screen; axe over every tab
//   the server stops and starts again: the page says so and goes on
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { accessible, browse, idle, skip, until } from './analyst_page.mjs';
import { done, folder } from './onemap.mjs';
import { decode } from './png.mjs';
import { bearer, csv, token } from './roles.mjs';
import { serve } from './server.mjs';

const PICTURES = { flags: ['--disable-3d-apis'] };
const table = (page) => page.$$eval('#table tr', (rows) => rows.map((row) => ({ id: row.dataset.id, cells: [...row.cells].map((c) => c.innerText.trim()), chosen: row.classList.contains('chosen') })));

async function save(page, act) {
    const [download] = await Promise.all([page.waitForEvent('download'), act()]);
    return { name: download.suggestedFilename(), rows: csv((await readFile(await download.path(), 'utf8')).replace('\ufeff', '').replaceAll('\r\n', '\n')) };
}

test('the analyst\'s tables, comparisons and screens', { skip }, async (t) => {
    const dir = await folder(t), city = path.join(dir, 'city');
    await done('synth', path.join(dir, 'files'), '--scale', '0.002', '--quiet');
    await done('import', city, '--all', path.join(dir, 'files'), '--quiet');
    // Whoever is in charge is told of few, too; so small a city has no others.
    const admin = await token(city, 'admin');
    let server = await serve(t, city, '--read-only');
    const { url } = server, get = async (target) => (await fetch(url + target, { headers: bearer(admin) })).json();
    const { page, log } = await browse(t, `${url}/analyst?token=${admin}#layer=hazard&layers=coverage&coverage=patrol&time=2023-04-01/2023-04-30`, PICTURES);
    const open = async (hash) => {
        await page.goto('about:blank');
        await page.goto(`${url}/analyst#${hash}`);
        await until('the page', () => page.evaluate(() => document.body.classList.contains('there')));
    };

    await t.test('coverage has a table, of the period that is chosen', async () => {
        const april = await get('/coverage/patrol?by=town&datetime=2023-04-01/2023-04-30'), may = await get('/coverage/patrol?by=town');
        const none = (row) => (row.hidden ? '·' : '?'), said = (row, n) => (n === null ? none(row) : String(n)), share = (row) => (row.value === null ? none(row) : `${(100 * row.value).toFixed(1)}%`);
        await until('its rows', async () => (await table(page)).length === april.rows.length);
        for (const row of await table(page)) {
            const want = april.rows.find((r) => r.id === row.id);
            assert.deepEqual(row.cells.slice(0, 4), [want.name, said(want, want.due), said(want, want.done), share(want)]);
        }
        assert.notDeepEqual(april.rows.map((r) => r.value), may.rows.map((r) => r.value));
        const values = (await table(page)).map((row) => april.rows.find((r) => r.id === row.id).value).filter((v) => v !== null);
        assert.ok(values.length > 20 && values.every((v, i) => !i || v >= values[i - 1]), 'the least covered first');
        await until('the legend names the month', async () => /考核期 2023-04/.test(await page.textContent('#legend')));
        // Visits are not houses: each column says what it counts.
        const units = await page.evaluate(() => Object.fromEntries([...document.querySelectorAll('.ranks thead th')].map((th) => [th.dataset.column, th.querySelector('small')?.textContent ?? ''])));
        assert.deepEqual(units, { name: '', due: '次', done: '次', value: '占应巡', overdue: '处', unjudged: '处' });
        assert.match(await page.textContent('#table-note'), /^考核期 2023年4月1日 至 2023年4月30日。 .*次数.*处数/);
        // Where tiles are drawn smaller they still end on whole pixels: a seam would be seen.
        await until('tiles', () => page.evaluate(() => document.querySelectorAll('#map .plane canvas').length > 1));
        // Tiles are pictures and no canvases to paint on, which are copied with every frame that moves them.
        assert.equal(await page.evaluate(() => [...document.querySelectorAll('#map .plane canvas')].filter((c) => c.getContext('2d')).length), 0);
        await page.hover('#map');
        for (let i = 0; i < 3; i++) {
            const before = new URL(page.url()).hash;
            await page.mouse.wheel(0, -100);
            await until('the zoom', () => page.url().includes('map=') && new URL(page.url()).hash !== before);
            const off = await page.evaluate(() => [...document.querySelectorAll('#map .plane canvas')].map((c) => [c.getBoundingClientRect(), c.closest('#map').getBoundingClientRect()]).flatMap(([c, m]) => [c.left - m.left, c.right - m.left, c.top - m.top, c.bottom - m.top]).filter((v) => Math.abs(v - Math.round(v)) > 1e-3));
            assert.deepEqual(off, [], page.url());
        }
        await page.click('[data-sort=overdue]');
        await until('the order is in the address', () => /sort=-overdue/.test(page.url()));
        const overdue = (await table(page)).map((row) => april.rows.find((r) => r.id === row.id).overdue);
        assert.ok(overdue.every((n, i) => !i || n <= overdue[i - 1]));
        const first = (await table(page))[0].id;
        await page.click(`#table tr[data-id="${first}"] button`);
        await until('the unit', () => page.url().includes(`unit=${first}`));
        await until('the map is there', () => page.evaluate(() => !!document.querySelector('.drawn path')));
        const other = (await table(page))[5].id;
        await page.evaluate((id) => { location.hash = location.hash.replace(/unit=\w+/, `unit=${id}`); }, other);
        await until('chosen elsewhere, marked here', async () => (await table(page)).find((row) => row.chosen)?.id === other);
        const { name, rows } = await save(page, () => page.click('#table-csv'));
        assert.equal(name, 'coverage-patrol-town.csv');
        for (const line of rows) {
            const want = april.rows.find((r) => r.id === line.id);
            assert.deepEqual([line.due, line.done, line.overdue], [want.due, want.done, want.overdue].map((n) => String(n ?? '')));
        }
        for (const kind of ['workload', 'service', 'partition', 'site']) {
            await page.selectOption('select[name=coverage]', kind);
            const want = await get(`/coverage/${kind}${['workload', 'service'].includes(kind) ? '?by=town' : ''}${kind === 'workload' ? '&datetime=2023-04-01/2023-04-30' : ''}`);
            await until(`rows of ${kind}`, async () => (await table(page)).length === Math.min(100, want.rows.length) && new URL(page.url()).hash.includes(kind === 'patrol' ? '' : `coverage=${kind}`));
        }
    });

    await t.test('clusters: how many, how dense, by what rule', async () => {
        await open('layer=address&layers=hotspots&spots=dbscan');
        const want = await get('/hotspots/address?stat=dbscan&f=geojson&limit=3000');
        assert.ok(want.features.length > 3);
        await until('clusters', async () => (await table(page)).length === Math.min(100, want.features.length));
        const rows = await table(page), first = want.features.find((f) => String(f.properties.id) === rows[0].id).properties;
        assert.equal(rows[0].cells[1].replace(/\D/g, ''), String(first.count));
        const legend = await until('its legend', () => page.textContent('#legend'));
        assert.match(legend, new RegExp(`${want.eps_m} 米内至少 ${want.min} 条`));
        const told = [...legend.matchAll(/条:([\d,]+) 簇/g)].reduce((sum, [, n]) => sum + Number(n.replaceAll(',', '')), 0);
        assert.equal(told, want.features.length, 'the legend counts every cluster');
        await page.click('#table tr:first-child button');
        await until('the place in the address', () => /[#&]at=/.test(page.url()));
        await until('what it is', async () => (await page.textContent('#reading')).includes(first.text));
        assert.equal((await table(page)).filter((row) => row.chosen)[0].id, rows[0].id);
        await page.click('#tab-why');
        await until('why it is so', async () => (await page.textContent('#pane-why')).includes(first.text));
        // A picture of it, which the server cannot make: made here, twice as fine as the screen.
        await page.keyboard.press('e');
        const [download] = await Promise.all([page.waitForEvent('download'), page.locator('.pane-exports button', { hasText: 'PNG' }).click()]);
        const { width, height, rgba } = decode(await readFile(await download.path())), box = await page.locator('#map').boundingBox();
        assert.ok(Math.abs(width - 2 * box.width) <= 2 && height > 2 * box.height + 100 && height < 3 * box.height, `${width} x ${height}`);
        const coloursOf = (from, to) => {
            const colours = new Set();
            for (let i = 4 * width * Math.round(from); i < 4 * width * Math.round(to); i += 4) colours.add(rgba.readUInt32BE(i));
            return colours.size;
        };
        // All of the map, and beneath it what it says: nothing of that lies on the map.
        const map = 2 * box.height;
        assert.ok(coloursOf(0, map - 2) > 200, `${coloursOf(0, map - 2)} colours`);
        assert.deepEqual([coloursOf(map + 2, map + 6), coloursOf(height - 3, height), coloursOf(map + 2, height) > 10], [1, 1, true]);
    });

    await t.test('two sides have one scale, and a column of what is between them', async () => {
        await open('layer=hazard&layers=choropleth&time=2023-05-28/2023-06-26&compare=previous&pane=table');
        const [a, b] = await Promise.all(['2023-05-28/2023-06-26', '2023-04-28/2023-05-27'].map((time) => get(`/stats/hazard?by=town&datetime=${time}`)));
        const count = (side, id) => side.groups.find((g) => (g.id ?? '') === id)?.count ?? 0;
        await until('both columns', () => page.evaluate(() => !!document.querySelector('#table td.change')));
        // On paper it is said what both are of.
        assert.match(await page.textContent('.printed'), /^A 2023年5月28日 – 2023年6月26日; B 2023年4月28日 – 2023年5月27日$/);
        assert.equal(await page.isVisible('.printed'), false);
        await page.emulateMedia({ media: 'print' });
        assert.ok(await page.isVisible('.printed') && !await page.isVisible('#period'));
        await page.emulateMedia({ media: 'screen' });
        for (const { id, cells } of await table(page))
            assert.deepEqual(cells.slice(1, 4).map((c) => Number(c.replace('−', '-').replace(/[^0-9-]/g, ''))), [count(a, id), count(b, id), count(a, id) - count(b, id)]);
        await until('two maps', () => page.isVisible('#map-b'));
        await idle(page, log);
        assert.equal(await page.locator('#legend .legend').count(), 1);
        assert.match(await page.textContent('#legend'), /同一图例/);
        const asked = await page.evaluate(() => performance.getEntriesByType('resource').map((r) => decodeURIComponent(r.name)).filter((n) => n.includes('/tiles/choropleth')));
        const sides = [['2023-05-28/2023-06-26', '2023-04-28/2023-05-27'], ['2023-04-28/2023-05-27', '2023-05-28/2023-06-26']];
        for (const [own, other] of sides) assert.ok(asked.some((u) => new RegExp(`[?&]datetime=${own}`).test(u) && u.includes(`with_datetime=${other}`)), own);
        const legends = await Promise.all(sides.map(([own, other]) => get(`/legend/choropleth:town.json?layer=hazard&datetime=${own}&with_datetime=${other}`)));
        assert.deepEqual(legends[0].items, legends[1].items);
        // The divider, by hand and by key.
        await page.keyboard.press('c');
        await page.click('[data-split=swipe]');
        await until('a divider', () => page.isVisible('.divider'));
        const box = await page.locator('.divider').boundingBox(), at = () => page.getAttribute('.divider', 'aria-valuenow').then(Number);
        await page.mouse.move(box.x + box.width / 2, box.y + 40);
        await page.mouse.down();
        await page.mouse.move(box.x - 150, box.y + 40, { steps: 4 });
        await page.mouse.up();
        const dragged = await at();
        assert.ok(dragged < 45, `${dragged}`);
        await page.focus('.divider');
        await page.keyboard.press('ArrowRight');
        assert.equal(await at(), dragged + 5);
    });

    await t.test('both sides of hotspots and coverage, and all of the city on either', async () => {
        const A = '2023-05-28/2023-06-26', B = '2023-04-28/2023-05-27', zoom = () => page.evaluate(() => Number(/map=([\d.]+)/.exec(location.hash)?.[1] ?? NaN));
        await open(`layer=hazard&layers=hotspots&time=${A}`);
        await idle(page, log);
        const [[west, south, east, north]] = [(await get('/collections/town')).extent.spatial.bbox[0]], mercator = (lat) => Math.log(Math.tan(Math.PI / 4 + lat * Math.PI / 360)) / (2 * Math.PI);
        /** Does a map of that zoom hold the city, its middle being that of the map? */
        const holds = async (id) => {
            const { width, height } = await page.locator(id).boundingBox(), px = 512 * 2 ** await zoom();
            return (east - west) / 360 * px <= width && (mercator(north) - mercator(south)) * px <= height;
        };
        await page.click('#tab-compare');
        await page.click('input[name=compare][value=previous]');
        await until('two sides', async () => await page.isVisible('#map-b') && zoom());
        const narrow = await zoom();
        assert.ok(await holds('#map') && await holds('#map-b'), `${narrow}`);
        await page.click('#tab-table');
        await until('both columns', () => page.evaluate(() => !!document.querySelector('#table td.change')));
        const [a, b] = await Promise.all([A, B].map((time) => get(`/hotspots/hazard?units=town&stat=gistar&datetime=${time}`))), read = (text) => Number(text.replace('−', '-'));
        const rows = await table(page);
        assert.equal(rows.length, a.rows.length);
        for (const { id, cells } of rows) {
            const [x, y] = [a, b].map((side) => side.rows.find((r) => r.id === id));
            for (const [i, want] of [[3, x.z], [4, y.z], [5, x.z - y.z]]) assert.ok(Math.abs(read(cells[i]) - want) < 0.0051, `${id}: ${cells}`);
        }
        const changes = rows.map((r) => Math.abs(read(r.cells[5])));
        assert.ok(changes.every((v, i) => !i || v <= changes[i - 1] + 0.011), 'the most changed first');
        const { rows: lines } = await save(page, () => page.click('#table-csv'));
        for (const line of lines) assert.deepEqual([line.class_a, line.class_b, line.count_b], [a, b].flatMap((side, i) => { const r = side.rows.find((one) => one.id === line.id); return i ? [r.class, String(r.count)] : [r.class]; }));
        await page.evaluate(() => { location.hash = location.hash.replace('layers=hotspots', 'layers=coverage').replace(/time=[^&]*/, 'time=2023-05-01/2023-05-31'); });
        const [may, april] = await Promise.all(['2023-05-01/2023-05-31', '2023-04-01/2023-04-30'].map((time) => get(`/coverage/patrol?by=town&datetime=${time}`)));
        await until('shares of both', () => page.evaluate(() => !!document.querySelector('.ranks th[data-column=a] small') && !document.querySelector('.scroll.stale')));
        for (const { id, cells } of await table(page)) {
            const [x, y] = [may, april].map((side) => side.rows.find((r) => r.id === id).value), percent = (side, v) => (v === null ? (side.rows.find((r) => r.id === id).hidden ? '·' : '?') : `${(100 * v).toFixed(1)}%`);
            assert.deepEqual(cells.slice(1, 3), [percent(may, x), percent(april, y)]);
            if (x !== null && y !== null) assert.ok(Math.abs(read(cells[3]) - 100 * (x - y)) < 0.051, `${cells}`);
        }
        await page.click('#tab-compare');
        await page.click('input[name=compare][value=""]');
        await until('the whole map', async () => !await page.isVisible('#map-b') && await zoom() > narrow);
        assert.ok(await holds('#map'));
        assert.deepEqual(log.said, []);
    });

    await t.test('cells without significance, and dates in one form', async () => {
        await open('layer=hazard&layers=hotspots&units=hex:1000&time=2023-05-01/2023-05-31');
        const { features } = await get('/hotspots/hazard?units=hex:1000&stat=gistar&f=geojson&limit=3000&datetime=2023-05-01/2023-05-31');
        const plain = features.filter((f) => f.properties.class === 'not significant'), some = plain.filter((f) => f.properties.count > 0).length, none = plain.length - some;
        assert.ok(some > 0 && none > 0);
        await until('the legend tells them apart', async () => {
            const text = (await page.textContent('#legend')).replaceAll(',', '');
            return text.includes(`不显著 ${some}`) && text.includes(`无记录 ${none}`);
        });
        // Those with rows have a line around them, those without have nothing.
        const drawn = await page.$$eval('#map .drawn path', (paths) => paths.filter((p) => p.getAttribute('fill') === 'transparent').map((p) => (p.getAttribute('d').match(/M/g) ?? []).length));
        assert.deepEqual(drawn, [some]);
        assert.equal(await page.inputValue('#from'), '2023-05-01');
        assert.equal(await page.getAttribute('#from', 'type'), 'text');
        await page.fill('#from', '2023年5月8日');
        await page.press('#from', 'Tab');
        await until('it is read', () => page.url().includes('time=2023-05-08/2023-05-31'));
        assert.equal(await page.inputValue('#from'), '2023-05-08');
        await page.fill('#to', '05/31/2023');
        await page.press('#to', 'Tab');
        assert.match(await page.textContent('#period-error'), /05\/31\/2023/);
        assert.ok(page.url().includes('time=2023-05-08/2023-05-31'));
    });

    await t.test('a time without data is not a side with nothing', async () => {
        await open('layer=hazard&layers=choropleth&time=2023-05-28/2023-06-26&compare=year&pane=table');
        await until('both columns', () => page.evaluate(() => !!document.querySelector('#table td.change')));
        for (const { cells } of await table(page)) assert.deepEqual(cells.slice(2), ['?', '?', '?']);
        assert.match(await page.textContent('#table-note'), /那时还没有数据.*2023年1月1日/);
        await until('the map says so', () => page.isVisible('.side-note.B'));
        assert.match(await page.textContent('.side-note.B'), /那时还没有数据/);
        assert.equal(await page.isVisible('.side-note.A'), false);
        await page.click('#tab-compare');
        await page.check('input[name=compare][value=previous]');
        await until('no longer', async () => !await page.isVisible('.side-note.B'));
    });

    await t.test('what takes long is named until it is there', async () => {
        let go, asked = 0;
        const held = new Promise((done) => { go = done; });
        await page.route('**/hotspots/hazard?*geojson*', async (route) => {
            asked++;
            await held;
            await route.continue();
        });
        await open('layer=hazard&layers=hotspots&units=hex:1000');
        await until('it is said', async () => /正在读取.*Gi\*/.test(await page.textContent('.waiting')) && page.isVisible('.waiting'));
        assert.ok(asked > 0);
        assert.equal(await page.locator('.drawn path').count(), 0);
        go();
        await until('cells', () => page.evaluate(() => !!document.querySelector('.drawn path')));
        await until('nothing more', async () => !await page.isVisible('.waiting'));
        await page.unrouteAll({ behavior: 'wait' });
    });

    await t.test('an answer that nobody waits for any more is not shown', async () => {
        /** Requests that wait until they are let go. */
        const hold = async (what) => {
            let go, asked = 0;
            const held = new Promise((done) => { go = done; });
            await page.route(what, async (route) => {
                asked++;
                await held;
                await route.continue();
            });
            return { asked: () => until('it is asked', () => asked > 0), go: async () => {
                go();
                await page.unrouteAll({ behavior: 'wait' });
                await idle(page, log);
            } };
        };
        // Cells of a layer that was taken off the map.
        const cells = await hold('**/hotspots/hazard?*geojson*');
        await open('layer=hazard&layers=hotspots&units=hex:1000');
        await cells.asked();
        await page.evaluate(() => { location.hash = location.hash.replace('layers=hotspots', 'layers=heat'); });
        await until('another legend', () => page.locator('#legend [data-part=heat]').count());
        await cells.go();
        assert.equal(await page.locator('.drawn path').count(), 0);
        // What is at a place that is not pinned any more.
        const value = await hold('**/value?*');
        await open('layer=hazard&layers=heat&at=113.75,23.02&pane=why');
        await value.asked();
        await page.keyboard.press('Escape');
        await value.go();
        assert.deepEqual([await page.locator('#reading .value').count(), await page.locator('#pane-why h2').count()], [0, 0]);
        // A profile of an area that was cleared, a comparison that was ended, a unit that is not chosen.
        const stats = await hold('**/stats/*near=*');
        await open('layer=hazard&area=circle:113.75,23.02,4000&pane=profile');
        await stats.asked();
        await page.locator('.pane-profile .tools button:not([type=submit])').nth(2).click();
        await stats.go();
        assert.deepEqual([await page.locator('.pane-profile .figures').count(), await page.locator('.pane-profile [aria-busy]').count()], [0, 0]);
        const unit = await hold('**/collections/town/items/*');
        await open('layer=hazard&layers=heat&units=town&unit=441900121');
        await unit.asked();
        await page.evaluate(() => { location.hash = location.hash.replace(/&unit=\d+/, ''); });
        await until('it is not chosen', () => page.evaluate(() => !document.querySelector('#table tr.chosen')));
        await unit.go();
        assert.equal(await page.locator('.drawn path').count(), 0);
        // Names of what was typed before the box was left.
        const names = await hold('**/search');
        await page.keyboard.press('/');
        await page.keyboard.type('humen');
        await names.asked();
        await page.keyboard.press('Escape');
        await page.keyboard.press('/');
        await names.go();
        assert.deepEqual([await page.inputValue('#search'), await page.isVisible('#found')], ['', false]);
        await page.keyboard.press('Escape');
    });

    await t.test('a heat map over coloured units is lines, and they have other colours', async () => {
        await open('layer=hazard&layers=choropleth,heat');
        await idle(page, log);
        const tiles = await page.evaluate(() => performance.getEntriesByType('resource').map((r) => r.name).filter((n) => n.includes('/tiles/')));
        assert.ok(tiles.some((u) => u.includes('heat:hazard') && u.includes('form=lines')) && tiles.some((u) => u.includes('choropleth:town') && u.includes('ramp=cool')));
        const [lines, cool, warm] = await Promise.all(['heat:hazard.json?form=lines&bandwidth=800', 'choropleth:town.json?layer=hazard&ramp=cool', 'choropleth:town.json?layer=hazard'].map((name) => get(`/legend/${name}`)));
        assert.equal(lines.form, 'lines');
        assert.deepEqual(cool.items.map((i) => i.text), warm.items.map((i) => i.text));
        assert.ok(cool.items.every((item, i) => item.form !== 'area' || item.text === '0' || item.color !== warm.items[i].color));
    });

    await t.test('in English nothing is left in Chinese', async () => {
        const { page, log } = await browse(t, `${url}/analyst?token=${admin}&lang=en#layer=hazard`, { ...PICTURES, lang: 'en' });
        for (const hash of ['layers=choropleth&units=village&pane=table', 'layers=hotspots&units=hex:1000&pane=table', 'layers=coverage&coverage=partition&pane=table', 'layers=choropleth&pane=compare&compare=previous&time=2023-06-01/2023-06-15', 'layers=choropleth&pane=profile&units=town&unit=441900121', 'layers=hazard&pane=table&table=rows']) {
            await page.goto('about:blank');
            await page.goto(`${url}/analyst?lang=en#layer=hazard&${hash}`);
            await until('its table', () => page.evaluate(() => !!document.querySelector('.tab-body:not([hidden]) :is(tbody tr, .part)')));
            await idle(page, log);
            const left = await page.evaluate(() => {
                const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
                while (walker.nextNode()) if (/[\u4e00-\u9fff]/.test(walker.currentNode.data) && walker.currentNode.parentElement.checkVisibility()) found.push(walker.currentNode.data.trim());
                return found.filter((text) => text !== '中文');
            });
            assert.deepEqual(left, [], hash);
        }
    });

    await t.test('the server stops and starts again', async () => {
        await open('layer=hazard&pane=table');
        await until('the table', async () => (await table(page)).length >= 33);
        await idle(page, log);
        const { port } = server;
        await server.stop('SIGTERM');
        await until('a lost line is said', () => page.isVisible('#silence'));
        server = await serve(t, city, '--read-only', '--listen', `127.0.0.1:${port}`);
        await until('it is there again', async () => !await page.isVisible('#silence'));
        await page.selectOption('select[name=table-units]', 'village');
        const { groups } = await get('/stats/hazard?by=village');
        assert.ok(groups.length > 40);
        await until('and answers', async () => (await table(page)).length === Math.min(100, groups.length));
        // A browser tells of connections that are refused; nothing else went wrong.
        assert.deepEqual(log.said.filter((text) => !/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|network error/.test(text)), []);
        assert.deepEqual(log.bad, []);
        assert.deepEqual([...log.hosts], [new URL(url).host]);
        log.said.length = 0;
    });

    for (const [name, width, height, lang, scheme] of [['phone', 390, 844, 'zh-CN', 'light'], ['laptop', 1366, 768, 'en', 'dark'], ['4K', 3840, 2160, 'en', 'light'], ['a wall', 7680, 2160, 'zh-CN', 'dark']])
        await t.test(`on ${name}`, async (t) => {
            const { page, log } = await browse(t, `${url}/analyst?token=${admin}&lang=${lang}#layer=hazard&layers=choropleth,heat`, { ...PICTURES, width, height, lang, scheme, touch: name === 'phone' });
            await until('the table', async () => (await page.locator('#table tr').count()) >= 33);
            await idle(page, log);
            const seen = await page.evaluate(() => {
                const map = document.querySelector('.map-room').getBoundingClientRect(), caption = document.getElementById('caption').getBoundingClientRect(), zoom = document.body.currentCSSZoom ?? 1;
                let least = Infinity;
                for (const node of document.querySelectorAll('.analyst *')) if ([...node.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) && node.checkVisibility()) least = Math.min(least, parseFloat(getComputedStyle(node).fontSize) * zoom);
                return { share: (Math.min(innerHeight, map.bottom) - map.top) * map.width / (innerWidth * innerHeight), covered: caption.height / map.height, wide: document.documentElement.scrollWidth - innerWidth, least };
            });
            t.diagnostic(JSON.stringify(seen));
            assert.ok(seen.wide <= 1, `${seen.wide} pixels wider than the screen`);
            assert.ok(seen.least >= (height > 2000 ? 17 : 11), `letters of ${seen.least}`);
            if (name === 'phone') assert.ok(seen.share > 0.66 && seen.covered < 0.3, JSON.stringify(seen));
            // The map is pointed at where the pointer is, however large the page is drawn.
            const box = await page.locator('#map').boundingBox();
            await page.mouse.click(box.x + box.width * 0.52, box.y + box.height * 0.4);
            await until('a pin', () => page.evaluate(() => !!document.querySelector('#map .drawn circle')));
            const pin = await until('its place', () => page.locator('#map .drawn circle').boundingBox());
            assert.ok(Math.hypot(pin.x + pin.width / 2 - box.x - box.width * 0.52, pin.y + pin.height / 2 - box.y - box.height * 0.4) < 3, 'the pin is where it was put');
            await until('its unit', () => /unit=/.test(page.url()));
            await until('marked in the table', () => page.evaluate(() => !!document.querySelector('#table tr.chosen')));
            assert.equal(await page.evaluate(() => scrollY + document.body.scrollTop), 0, 'the page stays where it is');
            for (const tab of ['table', 'profile', 'why', 'compare', 'export']) {
                await page.locator(`#tab-${tab}`).click();
                await idle(page, log);
                await accessible(page, `${name}, ${tab}`);
            }
            assert.deepEqual([log.bad, log.said, [...log.hosts]], [[], [], [new URL(url).host]]);
        });
});
