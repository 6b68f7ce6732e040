// An analyst at work: an area drawn, units ranked, things taken away, a list
// printed. In a real browser, with the rights of who asks.
//
// Plan
//   lasso by hand and by keys, a circle by form: what is told is what /stats
//   says of the area in the address, which opens again as it was
//   ranking: any column, hidden and unknown last; a row chooses the unit, and
//   the other way round; its CSV has the same numbers
//   files: opened by GDAL, as many rows as the page said; field, picture; who
//   may not is told; each leaves a line in the audit
//   addresses: copied, and asked
//   the sheet: whole, on A4 with its head on each page, for officers of the
//   area; others are told why not
//   axe, in both languages
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import test from 'node:test';

import { mapWaits } from './analyst_page.mjs';
import { launch, NO_GL, onTheirWay, rest, skip } from './chromium.mjs';
import { askAs, csv, makeSynthetic, token } from './roles.mjs';
import { run } from './sample.mjs';
import { serve } from './server.mjs';

const require = createRequire(path.resolve('web/pages/package.json'));

/** A browser of somebody with a token. */
async function browse(t, url, text, { lang = 'zh-CN' } = {}) {
    const { page } = await launch(t, { flags: NO_GL, viewport: { width: 1440, height: 900 }, locale: lang, acceptDownloads: true, permissions: ['clipboard-read', 'clipboard-write'] });
    const log = [], way = onTheirWay(page);
    page.on('pageerror', (e) => log.push(e.message));
    page.on('request', (r) => { if (/^https?:/.test(r.url()) && new URL(r.url()).host !== new URL(url).host) log.push(r.url()); });
    // The token becomes a cookie.
    await page.goto(`${url}/?token=${text}`);
    return { page, log, way };
}

async function save(page, act, dir) {
    const [download] = await Promise.all([page.waitForEvent('download'), act()]), file = path.join(dir, `${Math.random()}-${download.suggestedFilename()}`);
    await download.saveAs(file);
    return { file, name: download.suggestedFilename() };
}

const hashOf = (page) => page.evaluate(() => Object.fromEntries(new URLSearchParams(location.hash.slice(1))));

async function accessible(page, what) {
    // The page may run nothing, so axe comes in a world of its own.
    await page.evaluate(await readFile(require.resolve('axe-core/axe.min.js'), 'utf8'));
    const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'] }));
    assert.deepEqual(violations.map((v) => `${what}: ${v.id}: ${v.nodes.map((n) => n.html.slice(0, 160)).join(' | ')}`), []);
}

test('an analyst at work', { skip }, async (t) => {
    const { dir, city } = await makeSynthetic(t, 0.01);
    const rows = csv((await run(path.resolve('build/onemap'), ['query', city, 'rental', '--format', 'csv', '--quiet'])).stdout);
    const grid = rows[0].grid, town = rows[0].town, elsewhere = rows.find((r) => r.town !== town).grid;
    const who = { analyst: await token(city, 'analyst'), wall: await token(city, 'wall'), officer: await token(city, 'officer', '--area', `town:${town}`) };
    const { url } = await serve(t, city, '--read-only'), ask = askAs(url, who.analyst);
    const { page, log, way } = await browse(t, url, who.analyst);
    const goTo = async (hash) => {
        await page.goto('about:blank');
        await page.goto(`${url}/analyst#${hash}`);
        await page.waitForFunction(() => document.body.classList.contains('there') && document.querySelector('#map')?.children.length);
    };
    const stats = async (layer, params) => (await ask(`/stats/${layer}?${new URLSearchParams(params)}`)).json();
    const whole = 'map=10/22.95/113.87&layer=hazard&time=2023-05-01/2023-06-26';
    const placeOf = async () => {
        const { area } = await hashOf(page), [kind, numbers] = area.split(':'), n = numbers.split(',').map(Number);
        if (kind === 'circle') return { near: `${n[0]},${n[1]}`, radius: String(n[2]) };
        const ring = Array.from({ length: n.length / 2 }, (_, i) => `${n[2 * i]} ${n[2 * i + 1]}`);
        return { within: `POLYGON((${[...ring, ring[0]].join(',')}))` };
    };
    /** What stands in the table of counts: layer by layer. */
    const told = () => page.evaluate(() => Object.fromEntries([...document.querySelectorAll('.pane-profile .figures tbody tr')].map((tr) => [tr.querySelector('a').title.match(/stats\/(\w+)/)[1], tr.querySelector('td span').title || tr.querySelector('td').textContent])));
    /** Until the table of counts, which names what it asked, is of a place. */
    const counted = (place) => page.waitForFunction((asked) => {
        const links = [...document.querySelectorAll('.pane-profile .figures tbody a')].map((a) => new URL(a.title, location.href).searchParams);
        return links.length && links.every((params) => Object.entries(asked).every(([name, value]) => params.get(name) === value));
    }, place);
    const agrees = async (place) => {
        await counted(place);
        const said = await told();
        for (const layer of ['hazard', 'address', 'rental', 'building', 'tip']) {
            const times = ['hazard', 'tip'].includes(layer) ? { datetime: '2023-05-01/2023-06-26' } : {};
            assert.equal(said[layer].replaceAll(',', ''), String((await stats(layer, { ...place, ...times })).count), layer);
        }
        return said;
    };

    await t.test('a lasso by hand, and its link', async () => {
        await goTo(`${whole}&pane=profile`);
        await page.waitForSelector('.pane-profile form');
        await page.keyboard.press('l');
        const sheet = page.locator('.drawing');
        await sheet.waitFor();
        await rest(page, way, mapWaits);
        const box = await sheet.boundingBox(), [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
        await page.mouse.move(x - 150, y);
        await page.mouse.down();
        for (let i = 1; i <= 40; i++) await page.mouse.move(x - 150 * Math.cos(i / 41 * 2 * Math.PI), y - 110 * Math.sin(i / 41 * 2 * Math.PI));
        await page.mouse.up();
        await page.waitForFunction(() => /area=polygon/.test(location.hash));
        const said = await agrees(await placeOf());
        assert.ok(Number(said.address.replaceAll(',', '')) > 1000, said.address);
        assert.equal(said.worker, '不予显示', 'workers are not told of drawn areas');
        assert.equal(await sheet.count(), 0);
        const link = page.url();
        await page.goto('about:blank');
        await page.goto(link);
        await page.waitForSelector('.pane-profile .figures');
        assert.deepEqual(await told(), said);
        await page.selectOption('.pane-profile .tools select', 'address');
        const rated = () => page.waitForSelector('.figures tr.now:has(a[title*="per=address"]) .verdict[data-verdict]');
        await rated();
        const rate = await stats('hazard', { ...await placeOf(), datetime: '2023-05-01/2023-06-26', per: 'address' }), all = await stats('hazard', { datetime: '2023-05-01/2023-06-26', per: 'address' });
        const verdict = rate.rate_low > all.rate ? 'higher' : rate.rate_high < all.rate ? 'lower' : 'same';
        assert.equal(await page.locator('.figures tr.now .verdict').getAttribute('data-verdict'), verdict);
        // Per resident is not told of a drawn area; the counts stay.
        await page.selectOption('.pane-profile .tools select', 'resident');
        await page.waitForFunction(() => /涉及个人,您的角色看不到比率/.test(document.querySelector('.pane-profile').textContent));
        assert.deepEqual(await told(), said);
        await page.selectOption('.pane-profile .tools select', 'address');
        await rated();
        const { file } = await save(page, () => page.locator('.pane-profile h3 .push').first().click(), dir), table = csv((await readFile(file, 'utf8')).replaceAll('\r\n', '\n'));
        const line = table.find((l) => l.layer === 'hazard');
        assert.deepEqual([line.count, line.rate, line.rate_low, line.city_rate], [rate.count, rate.rate, rate.rate_low, all.rate].map(String));
        assert.equal(table.find((l) => l.layer === 'worker').count, 'hidden');
        await accessible(page, 'profile');
    });

    await t.test('by keys, and by a form', async () => {
        await goTo(`${whole}&pane=profile`);
        await page.waitForSelector('.pane-profile form');
        await page.keyboard.press('l');
        await page.locator('.drawing').waitFor();
        await rest(page, way, mapWaits);
        const move = async (key, times) => { for (let i = 0; i < times; i++) await page.keyboard.press(`Shift+${key}`); };
        await page.keyboard.press('Space');
        await move('ArrowRight', 3);
        await page.keyboard.press('Space');
        await move('ArrowDown', 3);
        await page.keyboard.press('Space');
        await page.keyboard.press('Enter');
        await page.waitForFunction(() => /area=polygon/.test(location.hash));
        assert.equal((await hashOf(page)).area.split(',').length, 6, 'three corners');
        await agrees(await placeOf());
        await page.keyboard.press('l');
        await page.locator('.drawing').waitFor();
        await page.keyboard.press('Escape');
        assert.equal(await page.locator('.drawing').count(), 0);
        const [centre, radius] = await page.locator('.pane-profile form input').all();
        for (const [at, m] of [['113.7', '500'], ['a,b', '500'], ['113.75,23.02', '1'], ['113.75,23.02', 'x']]) {
            await centre.fill(at);
            await radius.fill(m);
            await radius.press('Enter');
            assert.notEqual(await page.locator('.pane-profile > .note[role=status]').textContent(), '');
            assert.ok((await hashOf(page)).area.startsWith('polygon'));
        }
        await centre.fill('113.75, 23.02');
        await radius.fill('4000');
        await radius.press('Enter');
        await page.waitForFunction(() => /area=circle:113.75/.test(location.hash));
        await page.waitForFunction(() => /4,000/.test(document.querySelector('.area-name')?.textContent ?? ''));
        await agrees({ near: '113.75,23.02', radius: '4000' });
    });

    await t.test('units in order', async () => {
        await goTo(`${whole}&pane=ranking`);
        await page.waitForSelector('#table tr');
        await page.locator('select[name=table-per]').selectOption('house');
        await page.waitForSelector('.ranks .verdict');
        const want = await stats('hazard', { by: 'town', datetime: '2023-05-01/2023-06-26', per: 'house' });
        const ids = () => page.evaluate(() => [...document.querySelectorAll('#table tr')].map((r) => r.dataset.id));
        const towns = want.groups.filter((g) => g.id !== null || g.count), by = (f) => [...towns].sort((a, b) => (f(a) === null) - (f(b) === null) || f(b) - f(a) || (a.id ?? '').localeCompare(b.id ?? '')).map((g) => g.id ?? '');
        assert.deepEqual(await ids(), by((g) => g.rate));
        await page.locator('.ranks th[data-column=count] button').click();
        assert.deepEqual(await ids(), by((g) => g.count));
        assert.equal(await page.locator('.ranks th[data-column=count]').getAttribute('aria-sort'), 'descending');
        assert.equal(await page.evaluate(() => document.activeElement.closest('th')?.dataset.column), 'count', 'the focus stays');
        await page.keyboard.press('Enter');
        assert.deepEqual((await ids()).slice(0, 5), by((g) => -g.count).slice(0, 5));
        const { file, name } = await save(page, () => page.locator('#table-csv').click(), dir), table = csv((await readFile(file, 'utf8')).replaceAll('\r\n', '\n'));
        assert.equal(name, 'hazard-town.csv');
        for (const g of towns) {
            const line = table.find((l) => l.id === (g.id ?? ''));
            assert.deepEqual([line.count, line.rate, line.rate_low, line.exposure], [g.count, g.rate, g.rate_low, g.exposure].map((v) => (v === null ? '' : String(v))));
        }
        const second = (await ids())[1];
        await page.locator('#table tr').nth(1).locator('button').click();
        await page.waitForFunction((id) => location.hash.includes(`unit=${id}`), second);
        assert.equal(await page.locator('#table tr.chosen').getAttribute('data-id'), second);
        // The other way round: who is chosen elsewhere is marked here.
        await page.evaluate((id) => { location.hash = location.hash.replace(/unit=\w+/, `unit=${id}`); }, towns[0].id);
        await page.waitForFunction((id) => document.querySelector('#table tr.chosen')?.dataset.id === id, towns[0].id);
        await accessible(page, 'ranking');
        // What is about persons is told of all time, and that is said.
        await goTo(`${whole}&pane=profile&units=town&unit=${towns[0].id}`);
        await counted({ by: 'town' });
        assert.match(await page.locator('.pane-profile .figures + .note').textContent(), /巡查.*不分时段,为全部时间/);
        await goTo(`map=10/22.95/113.87&layer=hazard&pane=profile&units=town&unit=${towns[0].id}`);
        await counted({ by: 'town' });
        assert.doesNotMatch(await page.locator('.pane-profile .figures + .note').textContent(), /不分时段/);
        // Persons: counts by unit, few of them hidden.
        await goTo('map=10/22.95/113.87&layer=worker&pane=ranking&units=village');
        await page.waitForSelector('#table tr');
        const workers = await stats('worker', { by: 'village' });
        assert.ok(workers.groups.some((g) => g.hidden));
        const last = (await page.evaluate(() => [...document.querySelectorAll('#table tr')].slice(0, 100).map((r) => r.children[1].textContent)));
        assert.ok(!last.includes('0') || last.indexOf('·') === -1 || last.indexOf('·') > last.lastIndexOf('0'));
    });

    await t.test('a rate per what persons do, and a place that is refused', async () => {
        const box = async () => page.locator('#map').boundingBox(), click = async (x) => { const b = await box(); await page.mouse.click(b.x + b.width * x, b.y + b.height * 0.45); };
        await goTo('map=10/22.95/113.87&layer=hazard&layers=heat&per=visit&pane=why');
        await click(0.5);
        await page.waitForFunction(() => /每次巡查/.test(document.querySelector('#reading').textContent) && /每次巡查|未知/.test(document.querySelector('#pane-why').textContent));
        // A reach that may not be chosen: no old answer stands for another place.
        await goTo('map=10/22.95/113.87&layer=hazard&layers=heat&per=visit&bandwidth=800&pane=why');
        await click(0.5);
        await page.waitForFunction(() => /^\?.*涉及个人的数据.*带宽不能另选/.test(document.querySelector('#reading').textContent) && /涉及个人的数据.*带宽不能另选/.test(document.querySelector('#pane-why').textContent));
        const first = await page.locator('#reading .where').textContent();
        await click(0.6);
        await page.waitForFunction((before) => document.querySelector('#reading .where').textContent !== before, first);
        // Units are told all the same.
        await goTo('map=10/22.95/113.87&layer=hazard&layers=choropleth&stat=rate&per=visit&bandwidth=800&pane=why');
        await click(0.5);
        const {groups} = await stats('hazard', { by: 'town', per: 'visit' }), hidden = groups.filter((g) => g.exposure_hidden).length;
        // What few workers did is told of nobody; that is not the same as unknown.
        assert.ok(hidden === 0 || hidden === groups.length, 'of all towns alike');
        await page.waitForFunction((text) => /每次巡查/.test(document.querySelector('#reading').textContent) && document.querySelector('#pane-why').textContent.includes(text), hidden ? '不予显示' : '95% 区间');
        await goTo('map=10/22.95/113.87&layer=hazard&layers=choropleth&stat=rate&per=house&bandwidth=800&pane=why');
        await click(0.5);
        await page.waitForFunction(() => /每千栋出租屋/.test(document.querySelector('#reading').textContent) && /95% 区间/.test(document.querySelector('#pane-why').textContent));
    });

    await t.test('things to take away', async () => {
        await goTo(`${whole}&filter=severity+%3E%3D+3&pane=export&area=circle:113.75,23.02,6000`);
        await page.waitForSelector('.pane-exports a.file');
        const { count } = await stats('hazard', { near: '113.75,23.02', radius: 6000, filter: 'severity >= 3', datetime: '2023-05-01/2023-06-26' });
        await page.waitForFunction((n) => document.querySelector('.pane-exports .note').textContent.replaceAll(',', '').includes(String(n)), count);
        const click = (text) => () => page.locator('.pane-exports a.file', { hasText: text }).click();
        for (const [text, ending] of [['GeoPackage', 'gpkg'], ['FlatGeobuf', 'fgb'], ['CSV', 'csv'], ['GeoJSON', 'geojson']]) {
            const { file } = await save(page, click(text), dir);
            assert.ok(file.endsWith(ending));
            const { stdout } = await run('ogrinfo', ['-so', '-al', file]);
            assert.equal(/Feature Count: (\d+)/.exec(stdout)?.[1], String(count), text);
        }
        const tif = await save(page, click('GeoTIFF'), dir), about = JSON.parse((await run('gdalinfo', ['-json', tif.file])).stdout);
        assert.equal(about.metadata[''].FILTER, 'severity >= 3');
        assert.equal(about.bands[0].type, 'Float32');
        await page.locator('.pane-exports select').last().selectOption('report');
        const png = await save(page, click('PNG'), dir), picture = JSON.parse((await run('gdalinfo', ['-json', png.file])).stdout);
        assert.deepEqual(picture.size, [1600, 1000]);
        const targets = async () => (await Promise.all((await readdir(path.join(city, 'audit'))).map((f) => readFile(path.join(city, 'audit', f), 'utf8')))).join('');
        const lines = await targets();
        for (const target of ['items.gpkg?', 'items.fgb?', 'density/hazard.tif?']) assert.ok(lines.includes(target), target);

        // Another layer, as a whole: units are to be had, too.
        await page.locator('.pane-exports select').first().selectOption('town');
        await page.waitForFunction(() => /全部 33 行/.test(document.querySelector('.pane-exports').textContent));
        const towns = await save(page, click('GeoPackage'), dir);
        assert.equal(/Feature Count: (\d+)/.exec((await run('ogrinfo', ['-so', '-al', towns.file])).stdout)?.[1], '33');

        // Addresses, as somebody would paste them.
        const addresses = await page.locator('.address').all(), copied = [];
        for (const a of addresses) {
            await a.locator('button').click();
            await page.waitForFunction((el) => /已复制/.test(el.textContent), await a.locator('button').elementHandle());
            copied.push(await page.evaluate(() => navigator.clipboard.readText()));
        }
        assert.ok(copied.length >= 6, `${copied}`);
        for (const address of copied) {
            assert.ok(address.startsWith(url), address);
            const target = address.slice(url.length).replace('{z}', '10').replace('{x}', '835').replace('{y}', '444'), answer = await ask(target, { headers: { accept: '*/*' } });
            assert.ok([200, 204].includes(answer.status), `${target}: ${answer.status}`);
            if (/\/items\?/.test(target)) assert.equal(answer.json().numberMatched, count);
        }
        await page.locator('.pane-exports .tools button').click();
        await page.waitForFunction(() => /已复制/.test(document.querySelector('.pane-exports .tools button').textContent));
        assert.equal(await page.evaluate(() => navigator.clipboard.readText()), page.url());
        await accessible(page, 'export');
        assert.deepEqual(log, []);
    });

    await t.test('who may not take rows away is told', async (t) => {
        const { page, way } = await browse(t, url, who.wall, { lang: 'en' });
        await page.goto(`${url}/analyst?lang=en#${whole}&pane=export`);
        await page.locator('.pane-exports a.file', { hasText: 'GeoPackage' }).click();
        await page.waitForFunction(() => /Your role may not take rows away/.test(document.querySelector('.pane-exports').textContent));
        // It goes on being told, whatever the map does.
        await page.focus('#map');
        await page.keyboard.press('+');
        await page.waitForFunction(() => !location.hash.includes('map=10/'));
        assert.match(await page.textContent('.pane-exports'), /Your role may not take rows away/);
        for (const pane of ['table', 'profile', 'why', 'compare', 'export']) {
            await page.locator(`#tab-${pane}`).click();
            await rest(page, way, mapWaits);
            await accessible(page, `English ${pane}`);
        }
    });

    await t.test('the sheet', async (t) => {
        const officer = await browse(t, url, who.officer), sheet = officer.page, ready = () => sheet.waitForFunction(() => document.body.dataset.ready === 'yes');
        await sheet.goto(`${url}/sheet?unit=grid:${grid}`);
        await ready();
        const list = (await askAs(url, who.officer)(`/coverage/patrol?rows=true&state=overdue&filter=${encodeURIComponent(`grid='${grid}'`)}`)).json().rows;
        assert.ok(list.length > 2, `${list.length}`);
        const shown = await sheet.evaluate(() => [...document.querySelectorAll('main tbody tr')].map((tr) => [...tr.children].map((td) => td.innerText)));
        assert.equal(shown.length, list.length);
        list.forEach((row, i) => {
            assert.ok(shown[i][1].includes(row.id) && shown[i][1].includes(row.address ?? row.name ?? ''), shown[i][1]);
            assert.deepEqual([shown[i][0], shown[i][4], shown[i][5], shown[i][6]], [String(i + 1), row.last?.slice(0, 10) ?? '无记录', String(row.overdue_days), `${row.done} / ${row.due}`]);
        });
        assert.ok((await sheet.locator('main thead').innerText()).includes('合成数据'));
        await accessible(sheet, 'sheet');
        const pdf = await sheet.pdf({ preferCSSPageSize: true }), pages = pdf.toString('latin1').match(/\/Type\s*\/Page\b/g).length, boxes = [...pdf.toString('latin1').matchAll(/\/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]/g)];
        assert.ok(boxes.length && boxes.every(([, w, h]) => Math.abs(w - 595) < 2 && Math.abs(h - 842) < 2), 'A4');
        assert.ok(pages >= Math.ceil(list.length / 40));
        assert.ok(pages <= Math.ceil(list.length / 20) + 1, `${pages} pages for ${list.length} rows`);
        assert.equal(await sheet.evaluate(() => getComputedStyle(document.querySelector('thead')).display), 'table-header-group');
        await sheet.emulateMedia({ media: 'print' });
        assert.equal(await sheet.evaluate(() => getComputedStyle(document.querySelector('.controls')).display), 'none');
        await sheet.emulateMedia({ media: 'screen' });
        await sheet.goto(`${url}/sheet?lang=en&unit=grid:${grid}`);
        await ready();
        assert.match(await sheet.locator('main thead').innerText(), /Overdue visits .*\n?.*Synthetic data/s);
        assert.ok(!/[\u4e00-\u9fff]/.test(await sheet.locator('main thead tr').nth(1).innerText()));
        const english = (await sheet.pdf({ preferCSSPageSize: true })).toString('latin1').match(/\/Type\s*\/Page\b/g).length;
        assert.ok(english <= pages + 1, `${english} pages in English, ${pages} in Chinese`);
        await accessible(sheet, 'English sheet');
        // Another's grid is not there; without a unit one is asked for.
        await sheet.goto(`${url}/sheet?unit=grid:${elsewhere}`);
        await ready();
        assert.match(await sheet.locator('main').innerText(), /没有这个单元/);
        await sheet.goto(`${url}/sheet`);
        await ready();
        const selects = await sheet.locator('.controls select').count();
        await sheet.locator('.controls select').first().selectOption({ index: 1 });
        await sheet.waitForFunction((n) => document.querySelectorAll('.controls select').length > n, selects);
        // Who only counts persons is told why not; nothing of the list is there.
        await page.goto(`${url}/sheet?unit=grid:${grid}`);
        await page.waitForFunction(() => document.body.dataset.ready === 'yes');
        assert.match(await page.locator('main').innerText(), /没有权限[\s\S]*网格管理员/);
        assert.ok(!(await page.content()).includes(list[0].id));
        assert.deepEqual(officer.log, []);
    });
});
