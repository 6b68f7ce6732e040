// The analyst's ranked hotspots, and panes by keys.
//
// Plan
//   hotspots per address: rate, times the city's, the same of the neighbourhood,
//   since when; what is above the city comes first
//   a test that is added asks as a careful reader would, and its form says so
//   a key that opens a pane leaves the focus in it, folded away or not
//   keys move the map before anybody went there, and from list boxes; Escape
//   leaves boxes for the map
//   a unit that is chosen in the table is told of, though no place is pinned
//   a table is as wide as its pane, or is seen to go on
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { browse, skip, until } from './analyst_page.mjs';
import { NO_GL } from './chromium.mjs';
import { done, folder } from './onemap.mjs';
import { csv } from './roles.mjs';
import { serve } from './server.mjs';

async function save(page, act) {
    const [download] = await Promise.all([page.waitForEvent('download'), act()]);
    return { name: download.suggestedFilename(), rows: csv((await readFile(await download.path(), 'utf8')).replace('\ufeff', '').replaceAll('\r\n', '\n')) };
}

test('ranked hotspots', { skip }, async (t) => {
    const dir = await folder(t), city = path.join(dir, 'city');
    await done('synth', path.join(dir, 'files'), '--scale', '0.002', '--quiet');
    await done('import', city, '--all', path.join(dir, 'files'), '--quiet');
    const server = await serve(t, city, '--read-only'), get = async (target) => (await fetch(server.url + target)).json();
    const { page, log } = await browse(t, 'about:blank', { flags: NO_GL });

    for (const [per, scale, unit] of [['address', 1000, '每千个地址'], ['area', 1, '每平方公里']]) await t.test(`hotspots per ${per}: the rates, of the neighbourhood too, and since when`, async () => {
        const time = '2023-05-28/2023-06-26';
        await page.goto('about:blank');
        await page.goto(`${server.url}/analyst#layer=hazard&layers=hotspots&units=hex:2000&per=${per}&time=${time}`);
        const { features, rate_mean } = await get(`/hotspots/hazard?units=hex:2000&stat=gistar&per=${per}&f=geojson&limit=3000&datetime=${time}`), rows = features.map((f) => f.properties);
        const hot = rows.filter((r) => r.bin > 0), sure = rows.filter((r) => r.bin >= 2), above = hot.filter((r) => r.ratio >= 1);
        await until('rates', () => page.evaluate(() => !!document.querySelector('#table tr') && !!document.querySelector('[data-sort=near_rate]')));
        await until('per what', async () => (await page.textContent('.ranks th[data-column=rate]')).includes(unit));
        // Heads are phrases, how sure it is stands beside what it is, and the legend has one title.
        const heads = await page.$$eval('.ranks thead th', (cells) => cells.map((c) => [c.dataset.column, c.querySelector('.head').textContent, c.querySelector('small')?.textContent]));
        for (const head of [['near_rate', '连同相邻', unit], ['ratio', '全市倍数', undefined], ['near_ratio', '连同相邻', '全市倍数']]) assert.ok(heads.some((h) => h.join() === head.join()), JSON.stringify(heads));
        assert.match(await page.innerText('#table tr:first-child td:nth-child(2)'), /^热点 9\d%\s+(因相邻单元\s+)?q (<0\.001|0\.\d{3})$/);
        await until('the legend', async () => await page.textContent('#legend .title') === `问题隐患 · Gi* 冷热点 · ${unit}`);
        const { name, rows: lines } = await save(page, () => page.click('#table-csv'));
        assert.equal(name, 'hazard-gistar.csv');
        assert.equal(lines.length, rows.length);
        const known = rows.filter((r) => r.z !== null);
        assert.ok(hot.length > 0 && known.length > 20 && (per === 'area' ? hot.length > above.length && hot.some((r) => r.since) : known.length < rows.length));
        for (const line of lines) {
            const want = rows.find((r) => r.id === line.id), close = (text, n) => (n === null ? text === '' : Math.abs(Number(text) - n) <= 1e-9 * Math.max(1, Math.abs(n)));
            for (const [column, n] of [['rate', want.exposure > 0 ? scale * want.rate : null], ['near_rate', want.near_rate === null ? null : scale * want.near_rate], ['ratio', want.ratio], ['near_ratio', want.near_ratio], ['count', want.count], ['z', want.z], ['q', want.q]]) assert.ok(close(line[column], n), `${line.id} ${column}: ${line[column]}, not ${n}`);
            assert.equal(line.since ?? '', want.since?.slice(0, 10) ?? '');
        }
        // Above the city itself, then by its neighbours, then all that is not hot.
        assert.deepEqual(lines.slice(0, above.length).map((l) => l.id), above.sort((a, b) => b.ratio - a.ratio).map((r) => r.id));
        assert.deepEqual(new Set(lines.slice(0, hot.length).map((l) => l.id)), new Set(hot.map((r) => r.id)));
        assert.deepEqual(lines.slice(known.length).map((l) => l.z), lines.slice(known.length).map(() => ''), 'what is not known is last');
        assert.ok((await page.textContent('#table-note')).includes(`${rows.length} 个中 ${sure.length} 个显著高(置信度95%以上)`));
        // 90 % is told as such: the wall counts as this does.
        assert.equal((await page.textContent('#table-note')).includes('只到90%'), hot.length > sure.length);
        const [, mean] = /全市 ([\d.,]+)/.exec(await page.textContent('#table-note'));
        assert.ok(Math.abs(Number(mean.replaceAll(',', '')) - scale * rate_mean) <= 0.05 * scale * rate_mean, mean);
        t.diagnostic(`${hot.length} hot, ${above.length} above themselves`);
    });

    const shows = async (hash, truth, { width = 1440, height = 900, lang = 'zh-CN' } = {}) => {
        await page.goto('about:blank');
        await page.setViewportSize({ width, height });
        await page.goto(`${server.url}/analyst?lang=${lang}#${hash}`);
        await until('its rows', () => page.evaluate(truth));
    };
    const TIME = 'time=2023-05-28/2023-06-26';

    await t.test('a test for hotspots that is added is of grids, per km²', async () => {
        await shows('layer=hazard', () => document.querySelectorAll('#table tr').length > 10);
        await page.selectOption('.add', 'hotspots');
        await until('its address', () => /[#&]per=area(&|$)/.test(page.url()) && /[#&]units=grid(&|$)/.test(page.url()));
        assert.deepEqual(await page.$eval('[data-id=hotspots]', (row) => ['units', 'per'].map((name) => row.querySelector(`[name=${name}]`).value)), ['grid', 'area']);
        await until('its table', async () => /每平方公里/.test(await page.textContent('.ranks thead')));
    });

    await t.test('keys that open a pane go into it', async () => {
        await shows('layer=hazard', () => document.querySelectorAll('#table tr').length > 10);
        const within = { r: '#pane-table', l: '#map .drawing', c: '#pane-compare', e: '#pane-export', t: '#period', f: '#query', h: '#query' };
        for (const folded of [false, true]) for (const [key, where] of Object.entries(within)) {
            await page.evaluate(() => document.activeElement.blur());
            if (folded) {
                await page.keyboard.press('[');
                await page.keyboard.press(']');
                await until('folded', () => page.evaluate(() => document.body.matches('.no-query.no-result')));
            }
            await page.keyboard.press(key);
            await until(`${key} goes to ${where}`, () => page.evaluate((w) => !!document.activeElement.closest(w), where));
            assert.ok(await page.evaluate(() => document.activeElement.checkVisibility({ visibilityProperty: true })), `${key}: it is seen`);
            if (key === 'l') {
                await page.keyboard.press('Escape');
                await until('the lasso ends in its pane', () => page.evaluate(() => !!document.activeElement.closest('#pane-profile')));
            }
            await page.evaluate(() => document.activeElement.blur());
            for (const [side, letter] of [['no-query', '['], ['no-result', ']']]) if (await page.evaluate((c) => document.body.classList.contains(c), side)) await page.keyboard.press(letter);
            await until('unfolded', () => page.evaluate(() => !document.body.matches('.no-query, .no-result')));
        }
    });

    await t.test('keys of the map wherever nobody types, and out of what is typed in', async () => {
        await shows('layer=hazard&map=10/22.9/113.8', () => document.querySelectorAll('#table tr').length > 10);
        const view = () => /[#&]map=([\d.]+)\/([\d.]+)\/([\d.]+)/.exec(page.url())?.slice(1).map(Number);
        const on = (css) => page.evaluate((c) => document.activeElement.matches(c), css);
        assert.ok(await on('body'));
        await page.keyboard.press('+');
        await until('it is nearer', () => view()[0] === 11);
        const [, , lon] = view();
        await page.keyboard.press('ArrowRight');
        await until('and further east', () => view()[2] > lon);

        await page.keyboard.press('/');
        await page.keyboard.type('humen');
        await until('something is found', () => page.isVisible('#found [role=option]'));
        await page.keyboard.press('Escape');
        assert.deepEqual([await on('#search'), await page.isVisible('#found'), await page.inputValue('#search')], [true, false, 'humen'], 'first the list goes');
        await page.keyboard.press('Escape');
        assert.deepEqual([await on('#map'), await page.inputValue('#search')], [true, ''], 'then the box is left');
        await page.keyboard.press('-');
        await until('it is further', () => view()[0] === 10);

        await page.focus('#subject');
        await page.keyboard.press('u');
        await until('other units', () => page.url().includes('units=grid'));
        await page.keyboard.press('+');
        await until('nearer', () => view()[0] === 11);
        assert.deepEqual([await on('#subject'), await page.inputValue('#subject')], [true, 'hazard'], 'letters choose nothing');
        const before = view();
        await page.keyboard.press('ArrowDown');
        await until('arrows do', async () => await page.inputValue('#subject') !== 'hazard');
        assert.deepEqual(view(), before);
        await page.keyboard.press('/');
        assert.ok(await on('#search'));
        await page.keyboard.type('+f');
        assert.equal(await page.inputValue('#search'), '+f');
        assert.deepEqual(view(), before);
        await page.focus('#subject');
        await page.keyboard.press('Escape');
        assert.ok(await on('#map'));

        await page.keyboard.press('?');
        assert.match(await page.innerText('dialog.help'), /方向键选择/);
        await page.keyboard.press('u');
        await page.keyboard.press('Escape');
        assert.ok(page.url().includes('units=grid'), 'nothing happens behind the help');
    });

    await t.test('why a row of the ranking is where it is', async () => {
        await shows(`layer=hazard&layers=hotspots&units=village&per=address&${TIME}&pane=table`, () => !!document.querySelector('[data-sort=near_rate]') && document.querySelectorAll('#table tr').length > 10);
        const { rows } = await get('/hotspots/hazard?units=village&stat=gistar&per=address&datetime=2023-05-28/2023-06-26');
        const id = await page.getAttribute('#table tr:nth-child(2)', 'data-id');
        await page.click('#table tr:nth-child(2) button');
        await until('the unit', () => page.url().includes(`unit=${id}`));
        await page.click('#tab-why');
        await until('its sentence', async () => (await page.textContent('#pane-why')).includes(rows.find((r) => r.id === id).text));
    });

    const widths = () => page.evaluate(() => {
        const pane = document.querySelector('#pane-table'), scroll = pane.querySelector('.scroll'), right = (node) => node.getBoundingClientRect().right;
        return { over: scroll.scrollWidth - scroll.clientWidth, cut: right(pane.querySelector('thead th:last-child')) - right(pane), goesOn: pane.querySelector('.ranked').classList.contains('goes-on'), edge: right(pane) - innerWidth };
    });

    await t.test('a table is as wide as its pane, or is seen to go on', async () => {
        await shows(`layer=hazard&layers=hotspots&units=grid&per=address&${TIME}&compare=previous&pane=table`, () => !!document.querySelector('#table td.change'), { width: 3840, height: 2160, lang: 'en' });
        await until('all of both sides is seen', async () => { const w = await widths(); return w.over <= 0 && w.cut <= 1 && w.edge <= 1 && !w.goesOn; });
        const ranked = () => !!document.querySelector('#table tr') && !!document.querySelector('[data-sort=near_rate]');
        await shows(`layer=hazard&layers=hotspots&units=grid&per=address&${TIME}&pane=table`, ranked, { width: 3840, height: 2160, lang: 'en' });
        await until('all of a ranking is seen', async () => { const w = await widths(); return w.over <= 0 && w.cut <= 1 && !w.goesOn; });
        await shows(`layer=hazard&layers=hotspots&units=grid&per=address&${TIME}&pane=table`, ranked);
        await until('it goes on', async () => { const w = await widths(); return w.over > 50 && w.goesOn; });
        await page.evaluate(() => { document.querySelector('#pane-table .scroll').scrollLeft = 1e4; });
        await until('to its end', async () => { const w = await widths(); return w.cut <= 1 && !w.goesOn; });
        assert.equal(await page.evaluate(() => document.querySelector('#table td').getBoundingClientRect().left - document.querySelector('#pane-table').getBoundingClientRect().left), 0, 'names stay');
        assert.deepEqual([log.bad, log.said], [[], []]);
    });
});
