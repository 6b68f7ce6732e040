// The analyst's page in a real browser.
//
// Plan
//   heat tiles arrive and are seen: counted, and the picture varies
//   nothing is asked of any other host, nothing fails, no script complains
//   the table agrees with /stats; a click on a town flies there
//   a filter, a wrong filter, a period; the address keeps the state
//   what is typed into the search box is found and gone to, by keyboard alone
//   presets end with the data; after a refusal no old answer stands; nothing
//   is 0
//   two periods: counts of both and their difference, of all units as /stats
//   says; before the data began is unknown, not zero
//   boxes and text of a filter; counts under the other filters
//   playing asks for no tile of a step, resting for each once
//   a city without points or with odd columns opens, its map is drawn
//   with WebGL2 by MapLibre the same is asked for and seen
//   without it the map is pictures: dragged, zoomed, chosen in
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';

import { browse, idle, skip, until } from './analyst_page.mjs';
import { done, folder } from './onemap.mjs';
import { serve } from './server.mjs';

/** Standard deviation of the lightness of a PNG's part; decoded by the browser itself. */
const spread = (page, png, box) => page.evaluate(async ({ bytes, box }) => {
    const blob = new Blob([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], { type: 'image/png' });
    const canvas = new OffscreenCanvas(box.width, box.height), context = canvas.getContext('2d');
    context.drawImage(await createImageBitmap(blob), -box.x, -box.y);
    const { data } = context.getImageData(0, 0, box.width, box.height);
    let n = 0, sum = 0, squares = 0;
    for (let i = 0; i < data.length; i += 4) {
        const light = 0.2126 * data[i] + 0.7152 * data[i + 1] + 0.0722 * data[i + 2];
        n++, sum += light, squares += light * light;
    }
    return Math.sqrt(squares / n - (sum / n) ** 2);
}, { bytes: png.toString('base64'), box });

const rows = (page) => page.evaluate(() => [...document.querySelectorAll('#table tr')].map((row) => ({
    id: row.dataset.id, name: row.cells[0].innerText.trim(), count: Number(row.cells[1].innerText.replace(/\D/g, '')),
    chosen: row.classList.contains('chosen'),
})));

test('the analyst\'s page', { skip }, async (t) => {
    const dir = await folder(t), city = path.join(dir, 'city');
    await done('synth', path.join(dir, 'files'), '--scale', '0.002', '--quiet');
    await done('import', city, '--all', path.join(dir, 'files'), '--quiet');
    const server = await serve(t, city);
    const { page, log } = await browse(t, `${server.url}/analyst`);
    const stats = async (query = '') => (await fetch(`${server.url}/stats/hazard?by=town${query}`)).json();
    const shot = (name) => page.screenshot({ path: path.join(tmpdir(), `onemap-analyst-${name}.png`) });

    await t.test('heat tiles arrive and are seen', async () => {
        await until('six tiles', () => log.tiles.length >= 6);
        await idle(page, log);
        const box = await page.locator('#map').boundingBox();
        const inner = { x: Math.ceil(box.x), y: Math.ceil(box.y), width: Math.floor(box.width), height: Math.floor(box.height) };
        const seen = await spread(page, await shot('dark'), inner);
        t.diagnostic(`${log.tiles.length} heat tiles, spread of lightness ${seen.toFixed(1)}`);
        assert.ok(seen > 6, `the map varies by ${seen}`);
    });

    await t.test('the table agrees with /stats', async () => {
        const shown = await rows(page), { groups, count } = await stats();
        assert.equal(shown.length, groups.length);
        assert.ok(shown.length >= 33);
        for (const row of shown) {
            const group = groups.find((g) => (g.id ?? '') === row.id);
            assert.equal(row.count, group.count);
            if (group.name) assert.equal(row.name, group.name);
        }
        assert.ok(shown.every((row, i) => !i || row.count <= shown[i - 1].count), 'most first');
        assert.equal((await page.textContent('#total')).split('/')[0].replace(/\D/g, ''), String(count));
        await page.click('[data-sort="name"]');
        assert.notDeepEqual(await rows(page), shown);
        assert.match(await page.textContent('#synthetic'), /合成数据/);
        assert.ok(await page.isVisible('#synthetic'));
        assert.match(await page.textContent('#as-of'), /^2023年6月27日 00:00$/);
    });

    await t.test('a place is read under the pointer and pinned by a click', async () => {
        const box = await page.locator('#map').boundingBox();
        await page.mouse.move(box.x + box.width * 0.5, box.y + box.height * 0.45);
        await until('a reading', async () => /每平方公里/.test(await page.textContent('#reading')));
        await page.mouse.click(box.x + box.width * 0.5, box.y + box.height * 0.45);
        await until('the pin in the address', () => /[#&]at=/.test(page.url()));
        await until('places named', async () => /镇|街道|松山湖|园区|单元/.test(await page.textContent('#reading .where')));
        await page.click('#tab-why');
        await until('why it is so', async () => /问题隐患为每平方公里/.test(await page.textContent('#pane-why .sentence')));
        await page.click('#tab-table');
        await page.keyboard.press('Escape');
        await until('no pin in the address', () => !/[#&]at=/.test(page.url()));
    });

    await t.test('a click on a town flies there', async () => {
        const before = page.url(), { id } = (await rows(page)).find((row) => row.id);
        await page.click(`#table tr[data-id="${id}"] button`);
        await until('another view', () => page.url() !== before && page.url().includes(`unit=${id}`) && /[#&]map=/.test(page.url()));
        assert.deepEqual((await rows(page)).filter((row) => row.chosen).map((row) => row.id), [id]);
        await idle(page, log);
    });

    await t.test('the search box, by keyboard alone', async () => {
        const listed = () => page.$$eval('#found [role=option]', (rows) => rows.map((row) => row.querySelector('.name').textContent));
        const chosen = () => page.$eval('#found [aria-selected=true]', (row) => row.id);
        await page.keyboard.press('/');
        assert.equal(await page.evaluate(() => document.activeElement.id), 'search');
        await page.keyboard.type('humenzhen');
        await until('the town by its pinyin', async () => (await listed())[0] === '虎门镇');
        assert.equal(await page.getAttribute('#search', 'aria-expanded'), 'true');
        const first = await chosen();
        assert.equal(await page.getAttribute('#search', 'aria-activedescendant'), first);
        await page.keyboard.press('ArrowUp');
        assert.notEqual(await chosen(), first);
        await page.keyboard.press('ArrowDown');
        assert.equal(await chosen(), first);
        await page.keyboard.press('Enter');
        await until('the town is chosen', async () => (await rows(page)).some((row) => row.chosen && row.name === '虎门镇'));
        assert.ok(!await page.isVisible('#found'));
        await idle(page, log);
        const { features: [address] } = await (await fetch(`${server.url}/collections/address/items?limit=1`)).json();
        await page.fill('#search', '');
        await page.keyboard.type(address.properties.text);
        await until('the address', async () => (await listed())[0] === address.properties.text);
        await page.keyboard.press('Enter');
        const [lon, lat] = address.geometry.coordinates;
        await until('it is gone to', () => {
            const at = /[#&]at=([^&]*)/.exec(decodeURIComponent(page.url()))?.[1].split(/[/,]/).map(Number) ?? [];
            return [lat, lon].every((want) => at.some((have) => Math.abs(have - want) < 1e-4));
        });
        await page.fill('#search', '');
        await page.keyboard.type('鹤鸣孤山');
        await until('it is said that there is nothing', async () => /没有找到/.test(await page.textContent('#found')));
        await page.keyboard.press('Escape');
        assert.ok(!await page.isVisible('#found'));
        await page.keyboard.press('Escape');
        assert.equal(await page.inputValue('#search'), '');
        await page.keyboard.press('Escape');
        await until('no pin', () => !/[#&]at=/.test(page.url()));
        await idle(page, log);
    });

    await t.test('a filter is applied, a wrong one is told', async () => {
        await page.keyboard.press('f');
        assert.equal(await page.evaluate(() => document.activeElement.id), 'filter');
        await page.keyboard.type("severity >= 3");
        await page.keyboard.press('Enter');
        const { count } = await stats(`&filter=${encodeURIComponent("severity >= 3")}`);
        await until('fewer rows', async () => (await page.textContent('#total')).split('/')[0].replace(/\D/g, '') === String(count));
        await until('tiles of the filter', () => log.tiles.some((u) => u.includes('severity')));
        await until('the address', () => /filter=severity/.test(page.url()));
        assert.equal(await page.getAttribute('#filter', 'aria-invalid'), 'false');
        const problems = log.bad.length;
        await page.fill('#filter', 'severity === 1');
        await page.keyboard.press('Enter');
        await until('the error', () => page.isVisible('#filter-error'));
        assert.equal(await page.getAttribute('#filter', 'aria-invalid'), 'true');
        assert.match(await page.textContent('#filter-error'), /^第 11 个字符:[^0-9]*$/);
        assert.match(await page.textContent('#total'), /^\?/);
        assert.ok(log.bad.length > problems);
        assert.ok(log.bad.slice(problems).every((line) => line.startsWith('400')));
        // Those were asked for.
        log.bad.length = problems;
        log.said.length = 0;
        await page.click('#filter-clear');
        await until('all rows', async () => !(await page.isVisible('#filter-error')) && !page.url().includes('filter='));
    });

    await t.test('a period is chosen by the bars', async () => {
        await until('bars', () => page.evaluate(() => document.querySelectorAll('#days rect').length > 100));
        const box = await page.locator('#days').boundingBox();
        await page.mouse.move(box.x + box.width * 0.3, box.y + 20);
        await page.mouse.down();
        await page.mouse.move(box.x + box.width * 0.5, box.y + 20, { steps: 4 });
        await page.mouse.up();
        const time = await until('a period', () => /time=([^&]+)/.exec(page.url())?.[1]);
        const { count } = await stats(`&datetime=${time}`);
        await until('its rows', async () => (await page.textContent('#total')).split('/')[0].replace(/\D/g, '') === String(count));
        assert.equal(await page.inputValue('#from'), time.split('/')[0]);
    });

    await t.test('presets end with the last day of the data', async () => {
        for (const [i, time] of [[0, '2023-06-20/2023-06-26'], [1, '2023-05-28/2023-06-26'], [2, '2022-12-29/2023-06-26'], [3, '']]) {
            await page.click(`#spans button:nth-child(${i + 1})`);
            await until('the period in the address', () => (/time=([^&]+)/.exec(page.url()) ?? ['', ''])[1] === time);
            assert.equal(await page.getAttribute(`#spans button:nth-child(${i + 1})`, 'aria-pressed'), 'true');
        }
    });

    await t.test('after a refusal no old answer stands; nothing is 0', async () => {
        const total = async () => (await page.textContent('#total')).split('/')[0].trim();
        const problems = log.bad.length;
        await page.fill('#from', '2023-06-20');
        await page.press('#from', 'Tab');
        await page.fill('#to', '2023-06-01');
        await until('the error', () => page.isVisible('#period-error'));
        assert.match(await page.textContent('#period-error'), /颠倒/);
        assert.equal(await page.getAttribute('#to', 'aria-invalid'), 'true');
        await page.fill('#filter', 'nothing = 1');
        await page.press('#filter', 'Enter');
        await until('a refusal', () => page.isVisible('#filter-error'));
        assert.equal(await total(), '?');
        await idle(page, log);
        assert.ok(log.bad.slice(problems).every((line) => line.startsWith('400')));
        assert.ok(!log.bad.some((line) => /\/tiles\//.test(line)), 'no tile of a wrong filter is asked for');
        log.bad.length = problems;
        log.said.length = 0;
        await page.click('#filter-clear');
        await page.click('#spans button:nth-child(4)');
        await until('an answer', async () => await total() !== '?');
        await page.fill('#filter', 'severity > 99');
        await page.press('#filter', 'Enter');
        await until('nothing', async () => await total() === '0');
        assert.ok((await page.locator('#table td.share').allTextContents()).every((text) => /^0(\.0)?%$/.test(text)));
        await until('bars say so', async () => /没有数据/.test(await page.textContent('#days')));
        await page.click('#filter-clear');
        await until('all rows', async () => await total() !== '0');
    });

    await t.test('two periods are compared, unit by unit', async () => {
        await page.click('#spans button:nth-child(2)');
        await page.keyboard.press('c');
        await until('the pane', () => page.isVisible('#pane-compare'));
        await page.check('#pane-compare input[value=previous]');
        const [a, b] = await Promise.all(['2023-05-28/2023-06-26', '2023-04-28/2023-05-27'].map((time) => stats(`&datetime=${time}`)));
        const told = () => page.$$eval('#pane-compare .sums td', (cells) => cells.map((c) => c.firstChild?.textContent.replace(/[^0-9−+]/g, '')));
        const by = a.count - b.count;
        await until('both counts and what is between them', async () => (await told()).join() === [a.count, b.count, `${by > 0 ? '+' : '−'}${Math.abs(by)}`].join());
        assert.ok(await page.isVisible('#map-b'));
        await until('tiles of the other period', () => log.tiles.some((u) => decodeURIComponent(u).includes('2023-04-28/2023-05-27')));
        const list = await page.$$eval('#pane-compare tbody tr[data-id]', (trs) => trs.map((tr) => [tr.dataset.id, ...[...tr.cells].slice(1, 4).map((c) => Number(c.textContent.replace('−', '-').replace(/[^0-9-]/g, '')))]));
        for (const [id, x, y, d] of list) {
            const count = (side) => side.groups.find((g) => (g.id ?? '') === id)?.count ?? 0;
            assert.deepEqual([x, y, d], [count(a), count(b), count(a) - count(b)]);
        }
        assert.ok(list.every((row, i) => !i || Math.abs(row[3]) <= Math.abs(list[i - 1][3])), 'most changed first');
        await page.check('#pane-compare input[value=year]');
        await until('what was before the data is unknown', async () => (await told())[1] === '');
        assert.match(await page.textContent('#pane-compare .sums'), /\?/);
        await page.check('#pane-compare input[value=""]');
        await until('one map', async () => !await page.isVisible('#map-b'));
        await page.click('#tab-table');
        await page.click('#spans button:nth-child(4)');
    });

    await t.test('boxes and text of a filter say the same, and counts are of the others', async () => {
        const box = page.locator('[data-column=department] .value').nth(1), name = (await box.locator('.name').textContent()).trim();
        await box.click();
        await until('the text', async () => await page.inputValue('#filter') === `department = '${name}'`);
        await page.fill('#filter', `department = '${name}' AND severity = 4`);
        await page.press('#filter', 'Enter');
        const { groups } = await (await fetch(`${server.url}/stats/hazard?by=department&filter=${encodeURIComponent('severity = 4')}`)).json();
        const shown = () => page.$$eval('[data-column=department] .value', (rows) => rows.map((r) => [r.querySelector('.name').textContent, Number(r.querySelector('.number').textContent.replace(/\D/g, ''))]));
        await until('counts under the other filter', async () => (await shown()).every(([n, count]) => (groups.find((g) => g.id === n)?.count ?? 0) === count));
        assert.ok(await page.isChecked('[data-column=department] .value input:checked'));
        await page.click('#filter-clear');
        await until('nothing is chosen', () => page.evaluate(() => !document.querySelector('.facet input:checked')));
    });

    await t.test('a period is played: no step asks for a tile', async () => {
        await page.click('#spans button:nth-child(1)');
        await page.focus('#days');
        await page.keyboard.press('Home');
        await until('the first week', () => page.url().includes('time=2023-01-01/2023-01-07'));
        await idle(page, log);
        const before = log.tiles.length;
        await page.click('#play');
        await until('three steps', () => page.evaluate(() => /^2023-01-0[4-9]/.test(document.getElementById('days').dataset.drawn ?? '')));
        assert.equal(log.tiles.length, before);
        await page.click('#play');
        await until('it rests', () => /time=2023-01-(0[4-9]|[123])/.test(page.url()));
        await idle(page, log);
        const played = log.tiles.slice(before), periods = new Set(played.map((u) => new URL(u).searchParams.get('datetime')));
        assert.ok(played.length >= 4);
        assert.equal(new Set(played).size, played.length, 'no tile twice');
        assert.equal(periods.size, 1, 'only where it rests');
        await page.click('#spans button:nth-child(4)');
        await idle(page, log);
    });

    await t.test('keys: units, help, what is folded', async () => {
        await page.evaluate(() => document.activeElement.blur());
        await page.keyboard.press('u');
        await until('other units', () => /units=/.test(page.url()));
        await page.keyboard.press('?');
        assert.ok(await page.isVisible('dialog.help'));
        await page.keyboard.press('Escape');
        await page.keyboard.press('[');
        await until('the query is folded', async () => !await page.isVisible('#filter'));
        await page.keyboard.press('[');
        await page.keyboard.press('f');
        await page.evaluate(() => document.activeElement.blur());
    });

    await t.test('the other theme, and a link into the middle', async () => {
        await page.click('#theme');
        await until('light tiles', () => log.tiles.some((u) => u.includes('palette=light')));
        await page.goto(`${server.url}/analyst#map=13.5/22.95/113.75&layer=address&bandwidth=400`);
        await page.reload();
        await until('the layer', () => page.evaluate(() => document.querySelector('#subject')?.value === 'address'));
        await until('its tiles', () => log.tiles.some((u) => u.includes('heat:address') && u.includes('bandwidth=400')));
        await idle(page, log);
        await shot('light');
        assert.match(page.url(), /map=13\.5\/22\.95/);
    });

    await t.test('nothing came from elsewhere, nothing failed', () => {
        assert.deepEqual([...log.hosts], [new URL(server.url).host]);
        assert.deepEqual(log.bad, []);
        assert.deepEqual(log.said, []);
    });

    await t.test('without WebGL2 the map is pictures', async () => {
        const { page: plain, log: seen } = await browse(t, `${server.url}/analyst?lang=en`, { flags: ['--disable-3d-apis'] });
        await until('the table', async () => (await rows(plain)).length >= 33);
        await until('pictures', () => plain.evaluate(() => document.querySelectorAll('#map .plane canvas').length >= 9));
        await idle(plain, seen);
        assert.equal(await plain.textContent('#means'), 'Pictures');
        assert.equal(await plain.evaluate(() => document.documentElement.lang), 'en');
        const box = await plain.locator('#map').boundingBox(), [x, y] = [box.x + box.width / 2, box.y + box.height / 3];
        const view = () => (/map=([^&]+)/.exec(plain.url()) ?? [])[1];
        await plain.mouse.move(x, y);
        await plain.mouse.down();
        await plain.mouse.move(x + 90, y + 40, { steps: 6 });
        await plain.mouse.up();
        const dragged = await until('it was dragged', view);
        await plain.mouse.wheel(0, -160);
        await until('it came nearer', () => view() !== dragged && Number(view().split('/')[0]) > Number(dragged.split('/')[0]));
        await idle(plain, seen);
        await plain.focus('#map');
        const before = view();
        await plain.keyboard.press('ArrowRight');
        await until('a key moves it', () => view() !== before);
        await plain.mouse.click(x, y);
        await until('a pin', () => plain.evaluate(() => !!document.querySelector('.drawn circle')));
        assert.deepEqual([seen.bad, seen.said], [[], []]);
    });

    await t.test('with WebGL2 it is the same map by MapLibre', async () => {
        const { page: gl, log: seen } = await browse(t, `${server.url}/analyst?map=gl#layer=hazard&layers=choropleth@80,heat`);
        await until('a canvas', () => gl.evaluate(() => !!document.querySelector('#map canvas')));
        await until('six tiles', () => seen.tiles.length >= 4);
        await idle(gl, seen);
        const box = await gl.locator('#map').boundingBox();
        const inner = { x: Math.ceil(box.x), y: Math.ceil(box.y), width: Math.floor(box.width), height: Math.floor(box.height) };
        const light = await spread(gl, await gl.screenshot(), inner);
        assert.ok(light > 6, `the map varies by ${light}`);
        await gl.mouse.click(box.x + box.width * 0.5, box.y + box.height * 0.4);
        await until('the pin in the address', () => /[#&]at=/.test(gl.url()));
        assert.deepEqual([...seen.hosts], [new URL(server.url).host]);
        assert.deepEqual(seen.bad, []);
    });
});

test('the page of a city that is like no other', { skip }, async (t) => {
    const dir = await folder(t), ring = (x) => [[[x, 47], [x + 0.1, 47], [x + 0.1, 47.1], [x, 47.1], [x, 47]]];
    const feature = (i) => ({ type: 'Feature', properties: { id: `L${i}`, kind: ['wood', 'field'][i % 2] }, geometry: { type: 'Polygon', coordinates: ring(9.5 + i / 10) } });
    await writeFile(path.join(dir, 'land.geojson'), JSON.stringify({ type: 'FeatureCollection', features: [0, 1, 2, 3].map(feature) }));
    const lines = ['lon,lat,id,day,month,at'];
    for (let i = 0; i < 60; i++) lines.push(`9.${500 + i},47.05,P${i},${['Mon', 'Tue'][i % 2]},${i % 12},2010-01-${10 + i % 20}T12:00:00Z`);
    await writeFile(path.join(dir, 'p.csv'), lines.join('\n') + '\n');

    await t.test('only polygons: the map is drawn and its rows are counted', async () => {
        const city = path.join(dir, 'land');
        await done('import', city, 'land', path.join(dir, 'land.geojson'), '--id', 'id');
        const { url } = await serve(t, city);
        const { page, log } = await browse(t, `${url}/analyst`);
        await until('its rows', async () => (await page.textContent('#total')).startsWith('4'));
        assert.ok(!(await page.isVisible('#result-error')));
        const tile = page.waitForResponse((r) => r.url().includes('/tiles/land/')).catch(() => null);
        await page.reload();
        assert.equal((await tile)?.status(), 200);
        assert.deepEqual([log.bad, log.said, log.tiles], [[], [], []]);
    });

    await t.test('columns called day and month: the bars are days', async () => {
        const city = path.join(dir, 'days');
        await done('import', city, 'crime', path.join(dir, 'p.csv'), '--x', 'lon', '--y', 'lat', '--id', 'id', '--time', 'at');
        const { url } = await serve(t, city);
        const { page, log } = await browse(t, `${url}/analyst`);
        await until('bars', () => page.evaluate(() => document.querySelectorAll('#days rect').length === 20));
        await page.click('#spans button:nth-child(1)');
        await until('the last seven days', () => page.url().includes('time=2010-01-23/2010-01-29'));
        assert.ok(!(await page.isVisible('#result-error')));
        assert.deepEqual([log.bad, log.said], [[], []]);
    });
});
