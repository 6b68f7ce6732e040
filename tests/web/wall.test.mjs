// The wall in a real browser, on a small city.
//
// Plan
//   every number is the one that its address gives; the flow's parts sum to
//   the whole; what is hidden by nothing is nowhere cut, and nothing scrolls
//   a report comes by the stream: numbers, ticker and a ring; when nothing
//   happens nothing is asked for
//   20 reports a second: heap, listeners and nodes stay (long: make soak)
//   the server goes: a banner; it is back: the banner goes, numbers follow
//   keys: a panel enlarged and its addresses, pause, tour, replay
//   axe; no foreign host; no violation of the policy; nothing said
//   without WebGL2 the same numbers around a picture; English; walls of
//   3840 x 2160 and 7680 x 2160
//   a city that says nothing of a wall, and one with hardly anything
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';

import { done, folder } from './onemap.mjs';
import { makeCity } from './sample.mjs';
import { serve } from './server.mjs';
import { CHROMIUM, filled, held, launch, open, report, until } from './wall_page.mjs';

const skip = !existsSync(CHROMIUM) && 'there is no browser here';
const shot = (page, name) => page.screenshot({ path: path.join(tmpdir(), `onemap-wall-${name}.png`), timeout: 120000 });
const json = async (url) => (await fetch(url)).json();

/** Words that are cut: elements of panels whose text is wider than they are, and not by an ellipsis that is meant; panels that hold more than fits. */
const cut = (page) => page.evaluate(() => {
    const said = [];
    for (const panel of document.querySelectorAll('.panel, #caption, #ticker')) {
        const room = panel.getBoundingClientRect();
        for (const node of panel.querySelectorAll('b, td, tbody th, li .name, .figure .name, h2')) {
            const r = node.getBoundingClientRect();
            if (!r.width || !node.textContent.trim() || node.closest('.hidden, .details')) continue;
            if (r.right > room.right + 2 || r.bottom > room.bottom + 2 || r.left < room.left - 2 || r.top < room.top - 2)
                said.push(`${panel.id}: ${node.textContent} ${Math.round(r.right - room.right)} ${Math.round(r.bottom - room.bottom)}`);
        }
    }
    return said;
});

async function upright(page, log, host) {
    assert.deepEqual(await page.evaluate(() => [document.scrollingElement.scrollWidth - innerWidth, document.scrollingElement.scrollHeight - innerHeight]), [0, 0]);
    assert.deepEqual(await cut(page), []);
    assert.deepEqual(await page.evaluate(() => window.violations), []);
    assert.deepEqual([...log.hosts], [host]);
    assert.deepEqual(log.bad, []);
    assert.deepEqual(log.said, []);
}

test('the wall', { skip }, async (t) => {
    const dir = await folder(t), city = path.join(dir, 'city');
    await done('synth', path.join(dir, 'files'), '--scale', '0.002', '--quiet');
    await done('import', city, '--all', path.join(dir, 'files'), '--quiet');
    let server = await serve(t, city);
    const { url, port } = server, host = new URL(url).host;
    const { context, close } = await launch();
    t.after(close);
    const { page, log } = await open(context, `${url}/wall?motion=no`);
    await filled(page);
    const figure = (panel, i) => page.evaluate(([id, n]) => {
        const node = document.querySelectorAll(`#at-${id} .figure`)[n];
        return { text: node.querySelector('b').textContent, exact: Number(node.title.replaceAll(',', '')), href: node.getAttribute('href') };
    }, [panel, i]);

    await t.test('every number is the one that its address gives', async () => {
        const wall = JSON.parse(await readFile(path.join(city, 'city.json'), 'utf8')).wall;
        for (const [i, f] of wall.register.entries()) {
            const stats = await json(`${url}/stats/${f.layer}${f.sum ? `?sum=${f.sum}` : ''}`);
            assert.equal((await figure('register', i)).exact, f.sum ? stats.sum : stats.count, f.layer);
        }
        for (const [i, f] of wall.service.entries()) {
            const stats = await json(`${url}/stats/${f.layer}${f.sum ? `?sum=${f.sum}` : ''}`);
            assert.equal((await figure('service', i)).exact, f.sum ? stats.sum : stats.count);
        }
        const status = await json(`${url}/stats/hazard?by=status`), n = (id) => status.groups.find((g) => g.id === id)?.count ?? 0;
        const open = n('reported') + n('accepted') + n('dispatched');
        assert.equal(open, (await json(`${url}/stats/hazard?filter=${encodeURIComponent('resolved IS NULL')}`)).count);
        assert.equal((await figure('loop', 0)).exact, status.count);
        assert.equal((await figure('loop', 1)).exact, status.count - open);
        assert.equal((await figure('open', 0)).exact, open);
        // The flow's parts are the whole; so are the ages.
        const sums = await page.evaluate(() => {
            const { store, part } = window.onemapWall;
            return { steps: part.loop.steps.map((s) => store.value(part.loop.status).groups.find((g) => g.id === s.value)?.count ?? 0),
                ages: part.loop.ages.map((k) => store.value(k).count) };
        });
        assert.equal(sums.steps.reduce((a, b) => a + b), status.count);
        assert.equal(sums.ages.reduce((a, b) => a + b), open);
        const patrol = await json(`${url}/coverage/patrol?by=level`);
        for (const [panel, layer] of [['patrol', 'rental'], ['premises', 'premises']]) {
            const rows = patrol.rows.filter((r) => r.layer === layer);
            const shown = await page.evaluate((id) => [...document.querySelectorAll(`#at-${id} tbody tr`)].map((tr) => [...tr.querySelectorAll('td')].map((td) => td.textContent)), panel);
            assert.deepEqual(shown, rows.map((r) => [r.due, r.done, r.overdue, r.unjudged].map(String)));
            assert.equal(await page.textContent(`#at-${panel} .sum`), String(rows.reduce((s, r) => s + r.count, 0)));
        }
        const checks = await json(`${url}/stats/check?sum=count&by=month`), month = checks.groups.map((g) => g.id).sort().at(-1);
        assert.equal((await figure('checks', 0)).exact, checks.sum);
        const reach = await json(`${url}/stats/check?filter=${encodeURIComponent(`month = '${month}'`)}&share=${encodeURIComponent('count >= 50')}`);
        assert.equal((await figure('checks', 1)).text, `${(100 * reach.share).toFixed(1)}%`);
        const near = await json(`${url}/coverage/service`);
        assert.equal(await page.textContent('#at-service .reach b'), `${(100 * near.city.sum_share_10min).toFixed(1)}%`);
        assert.match(await page.textContent('#at-sources'), /未接入.*视频感知/);
        assert.equal(await page.textContent('#synthetic'), '合成数据');
        const towns = await page.evaluate(() => [...document.querySelectorAll('.towns .names li')].map((li) => li.textContent));
        assert.ok(towns.length >= 5);
    });

    await t.test('it stands upright: nothing cut, no scroll, nothing from elsewhere', async () => {
        await shot(page, 'zh');
        await upright(page, log, host);
    });

    await t.test('axe has nothing to say', async () => {
        const axe = await readFile('web/pages/node_modules/axe-core/axe.min.js', 'utf8');
        const session = await context.newCDPSession(page);
        await session.send('Runtime.evaluate', { expression: axe });
        const { result } = await session.send('Runtime.evaluate', { expression: 'axe.run().then((r) => JSON.stringify(r.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target).slice(0, 3)}`)))', awaitPromise: true });
        await session.detach();
        assert.deepEqual(JSON.parse(result.value), []);
    });

    await t.test('when nothing happens nothing is asked', async () => {
        await page.evaluate(() => window.onemapWall.pause(true));
        await page.waitForTimeout(1500);
        const before = log.asked.length;
        await page.waitForTimeout(5000);
        assert.deepEqual(log.asked.slice(before), []);
    });

    await t.test('a report comes by the stream', async () => {
        const before = (await figure('loop', 0)).exact;
        await report(url, { rate: 10, ms: 90, from: 100000 });
        await until('the number follows', async () => (await figure('loop', 0)).exact === before + 1);
        const { count } = await json(`${url}/stats/hazard`);
        assert.equal(count, before + 1);
    });

    await t.test('keys: panels, pause, tour, replay', async () => {
        await page.keyboard.press('2');
        assert.equal(await page.locator('.panel.large').count(), 2);
        assert.match(await page.textContent('#at-loop .details'), /\/analyst#layer=hazard/);
        await shot(page, 'large');
        await page.keyboard.press('Escape');
        assert.equal(await page.locator('.panel.large').count(), 0);
        await page.keyboard.press('ArrowRight');
        const places = await page.evaluate(() => window.onemapWall.tour.places.length);
        if (places) assert.match(await page.textContent('#place'), /显著热点/);
        await page.keyboard.press('Home');
        await page.keyboard.press('r');
        await until('the replay runs', () => page.evaluate(() => window.onemapWall.overlay.points !== null));
        const replayed = await page.evaluate(() => window.onemapWall.overlay.points.length);
        assert.ok(replayed > 0);
        assert.match(await page.textContent('#place'), /回放/);
        await page.keyboard.press('Escape');
        assert.equal(await page.evaluate(() => window.onemapWall.overlay.points), null);
    });

    await t.test('a second screen drives it', async () => {
        const id = await page.evaluate(() => window.onemapWall.id);
        const hand = await context.newPage();
        await hand.setViewportSize({ width: 390, height: 844 });
        await hand.goto(`${url}/wall?drive=${id}`);
        await hand.getByRole('button', { name: '3 四级巡查' }).click();
        await until('the panel is large', () => page.evaluate(() => document.getElementById('at-patrol').classList.contains('large')));
        await hand.getByRole('button', { name: '关闭面板' }).click();
        await until('it is not', () => page.evaluate(() => !document.querySelector('.panel.large')));
        await until('the towns', async () => await hand.locator('#places select').count() === 1);
        const [town] = await hand.locator('#places select').first().selectOption({ index: 2 });
        const name = (await json(`${url}/collections/town/items/${town}`)).properties.name;
        await until('the wall is there', async () => await page.textContent('#place') === name);
        await until('its villages', async () => await hand.locator('#places select').count() === 2);
        await shot(hand, 'drive');
        await hand.close();
    });

    await t.test('20 reports a second: what it holds stays', async () => {
        await page.evaluate(() => window.onemapWall.pause(true));
        await report(url, { rate: 20, ms: 4000, from: 0 });
        const before = await held(page);
        const sent = await report(url, { rate: 20, ms: 7000, from: 1000 });
        const after = await held(page);
        t.diagnostic(`${sent} reports; heap ${(before.heap / 1e6).toFixed(1)} to ${(after.heap / 1e6).toFixed(1)} MB, listeners ${before.listeners} to ${after.listeners}, nodes ${before.nodes} to ${after.nodes}`);
        assert.ok(after.heap < before.heap * 1.25 + 4e6, `heap from ${before.heap} to ${after.heap}`);
        assert.ok(after.listeners <= before.listeners + 5, `listeners from ${before.listeners} to ${after.listeners}`);
        assert.ok(after.nodes <= before.nodes + 200, `nodes from ${before.nodes} to ${after.nodes}`);
        assert.equal(await page.locator('canvas.maplibregl-canvas').count(), 1);
        const { count } = await json(`${url}/stats/hazard`);
        await until('the last of them is counted', async () => (await figure('loop', 0)).exact === count);
    });

    await t.test('the server goes and comes back', async () => {
        await server.stop('SIGKILL');
        await page.evaluate(() => { window.onemapWall.live.heardMs -= 60000; });
        await until('a banner', () => page.isVisible('#banner'));
        assert.match(await page.textContent('#banner'), /数据停在/);
        await shot(page, 'stale');
        log.bad.length = log.said.length = 0;
        server = await serve(t, city, '--listen', `127.0.0.1:${port}`);
        await until('no banner', async () => !await page.isVisible('#banner'));
        await report(url, { rate: 10, ms: 90, from: 200000 });
        const { count } = await json(`${url}/stats/hazard`);
        await until('numbers follow', async () => (await figure('loop', 0)).exact === count);
    });
    await page.close();

    await t.test('English, on 3840 x 2160', async () => {
        const { page: en, log: said } = await open(context, `${url}/wall?lang=en&motion=no&map=pictures`, { width: 3840, height: 2160 });
        await filled(en);
        assert.equal(await en.evaluate(() => document.documentElement.lang), 'en');
        const words = await en.evaluate(() => [...document.querySelectorAll('.panel h2, .figure .name, thead')].map((n) => n.textContent).join(' '));
        assert.doesNotMatch(words, /[\u4e00-\u9fff]/);
        await shot(en, '4k-en');
        await upright(en, said, host);
        await en.close();
    });

    await t.test('7680 x 2160 of 4 x 2 screens', async () => {
        const { page: wide, log: said } = await open(context, `${url}/wall?wall=4x2&bezel=24&motion=no&map=pictures`, { width: 7680, height: 2160 });
        await filled(wide);
        await shot(wide, 'wide');
        await upright(wide, said, host);
        const split = await wide.evaluate(() => [...document.querySelectorAll('.panel, #caption, #ticker')].map((n) => n.getBoundingClientRect())
            .filter((r) => [1902, 3828, 5754].some((x) => r.left < x && r.right > x + 24) || (r.top < 1068 && r.bottom > 1092)).length);
        assert.equal(split, 0);
        await wide.close();
    });
});

test('without WebGL2 it is the same wall around a picture', { skip }, async (t) => {
    const dir = await folder(t), city = path.join(dir, 'city');
    await done('synth', path.join(dir, 'files'), '--scale', '0.001', '--quiet');
    await done('import', city, '--all', path.join(dir, 'files'), '--quiet');
    const { url } = await serve(t, city);
    const { context, close } = await launch({ gl: false });
    t.after(close);
    const { page, log } = await open(context, `${url}/wall?motion=no`);
    await filled(page);
    await until('the picture', () => page.evaluate(() => document.querySelector('#map img').naturalWidth > 1000));
    assert.equal(await page.locator('.panel').count(), 10);
    assert.match(await page.textContent('#mode'), /图片模式/);
    await shot(page, 'pictures');
    await upright(page, log, new URL(url).host);
});

test('what a wall asks for is answered to its role', async (t) => {
    const dir = await folder(t), city = path.join(dir, 'city');
    await done('synth', path.join(dir, 'files'), '--scale', '0.001', '--quiet');
    await done('import', city, '--all', path.join(dir, 'files'), '--quiet');
    const token = {};
    for (const role of ['wall', 'admin']) token[role] = (await done('token', city, 'add', role)).trim();
    const { url } = await serve(t, city);
    const ask = async (role, target) => {
        const answer = await fetch(url + target, { headers: { Authorization: `Bearer ${token[role]}` } });
        return { status: answer.status, body: await answer.json() };
    };
    // Residents of an address are not for a wall; those of the city within ten minutes are.
    const all = await ask('admin', '/coverage/service'), seen = await ask('wall', '/coverage/service');
    assert.equal(seen.status, 200, JSON.stringify(seen.body));
    assert.ok(all.body.city.sum > all.body.city.count);
    assert.deepEqual(seen.body.city, all.body.city);
    for (const query of ['by=town', 'minutes=9.9', 'bbox=113.7,22.9,113.8,23', 'rows=true']) {
        const answer = await ask('wall', `/coverage/service?${query}`);
        assert.ok([400, 401, 404].includes(answer.status), `${query}: ${answer.status}`);
    }
    const rows = await ask('wall', '/coverage/service?people=address&by=town');
    assert.equal(rows.status, 200);
    assert.equal(rows.body.city.sum, rows.body.city.count, 'rows, not residents');
});

test('cities that say little of themselves', { skip }, async (t) => {
    const { city } = await makeCity(t), { url } = await serve(t, city);
    const { context, close } = await launch();
    t.after(close);
    const { page, log } = await open(context, `${url}/wall?motion=no&wall=nonsense`);
    await until('its rows', async () => /5000/.test(await page.textContent('#panels')));
    await shot(page, 'little');
    assert.deepEqual(log.bad, []);
    assert.deepEqual(log.said, []);
    assert.equal(await page.isVisible('#synthetic'), false);
});
