// The wall in a real browser, on a small city.
//
// Plan
//   every number is the one that its address gives; the flow's parts sum to
//   the whole; what is hidden by nothing is nowhere cut, and nothing scrolls
//   where the tour goes the field is above what it is in most of the city
//   the sentence of the city does not grow while answers come
//   a report comes by the stream: numbers, ticker and a ring; when nothing
//   happens nothing is asked for
//   20 reports a second: heap, listeners and nodes stay (long: make soak)
//   the server goes: a banner; it is back: the banner goes, numbers follow
//   keys: a panel enlarged and its addresses, pause, tour
//   a replay: hour by hour the numbers that rows gone through give, and another
//   field; ended it shows now; by the clock of the city's zone
//   the drawing is lost: it comes back, or pictures go on in its place
//   at night it begins anew, but never into a server that is silent
//   axe; no foreign host; no violation of the policy; nothing said
//   without WebGL2 the same numbers around a picture; English; walls of
//   3840 x 2160 and 7680 x 2160
//   a wall's role: nothing refused, links only to what is open, few are a dot
//   hidden, zero, unknown and not connected
//   a city that says nothing of a wall, and one with hardly anything
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';

import { done, folder } from './onemap.mjs';
import { makeCity } from './sample.mjs';
import { serve } from './server.mjs';
import { filled, held, launch, open, quiet, report, skip, until } from './wall_page.mjs';

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
            assert.deepEqual(shown, rows.map((r) => [r.due, r.done, r.overdue, r.unjudged].map((n) => n === null ? '' : String(n))), 'too few are not told');
            assert.equal(await page.textContent(`#at-${panel} .sum`), String((await json(`${url}/stats/${layer}`)).count));
        }
        const checks = await json(`${url}/stats/check?sum=count&by=month`), month = checks.groups.map((g) => g.id).sort().at(-1);
        assert.equal((await figure('checks', 0)).exact, checks.sum);
        const reach = await json(`${url}/stats/check?filter=${encodeURIComponent(`month = '${month}'`)}&share=${encodeURIComponent('count >= 50')}`);
        assert.equal((await figure('checks', 1)).text, reach.hidden ? '' : `${(100 * reach.share).toFixed(1)}%`);
        const near = await json(`${url}/coverage/service`);
        assert.equal(await page.textContent('#at-service .reach b'), `${(100 * near.city.sum_share_10min).toFixed(1)}%`);
        assert.match(await page.textContent('#at-sources'), /未接入.*视频感知/);
        assert.equal(await page.textContent('#synthetic'), '合成数据');
        const towns = await page.evaluate(() => [...document.querySelectorAll('.towns .names li')].map((li) => li.textContent));
        assert.ok(towns.length >= 5);
    });

    await t.test('where the tour goes the map is bright', async () => {
        const asked = new URL(await page.evaluate(() => { const { store, part, clock } = window.onemapWall; return store.entries.get(part.map.tour.key).question.url(clock); }), url);
        asked.searchParams.set('limit', '3000');
        const { features } = await json(asked), field = await page.evaluate(() => window.onemapWall.part.map.heatParams);
        const value = async ({ geometry }) => {
            const ring = (geometry.type === 'Polygon' ? geometry.coordinates : geometry.coordinates[0])[0], mean = (i) => ring.reduce((sum, c) => sum + c[i], 0) / ring.length;
            return (await json(`${url}/value?${new URLSearchParams({ name: 'heat:hazard', lon: mean(0).toFixed(6), lat: mean(1).toFixed(6), ...field })}`)).value;
        };
        const own = features.filter((f) => f.properties.ratio > 1.05 && f.properties.z > 0), every = features.filter((_, i) => i % Math.ceil(features.length / 30) === 0);
        const mean = async (list) => (await Promise.all(list.map(value))).reduce((sum, v) => sum + v, 0) / list.length;
        // Those that would be gone to first, significant or not in so small a city.
        const first = own.slice(0, 12), there = await mean(first), all = await mean(every);
        assert.ok(first.length > 5 && all > 0 && there > 1.5 * all, `${there} where the tour goes, ${all} in the city`);
        t.diagnostic(`the field where the tour goes is ${(there / all).toFixed(1)} times what it is in the city`);
    });

    await t.test('what is said of the city comes at once', async () => {
        const early = await context.newPage();
        await early.addInitScript(() => {
            window.said = [];
            const look = () => {
                const text = document.getElementById('sentence')?.textContent;
                if (text && window.said.at(-1) !== text) window.said.push(text);
                requestAnimationFrame(look);
            };
            look();
        });
        // Hotspots come late, and all that is said waits for them.
        await early.route((u) => u.pathname.startsWith('/hotspots/'), async (route) => {
            await new Promise((resolve) => setTimeout(resolve, 1500));
            await route.continue();
        });
        await early.goto(`${url}/wall?motion=no`);
        await until('a sentence', () => early.evaluate(() => window.said.length > 0));
        await filled(early);
        await early.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
        const said = await early.evaluate(() => window.said);
        assert.equal(said.length, 1, said.join(' / '));
        assert.match(said[0], /隐患\d+宗。近28天/);
        await early.close();
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
        await quiet(page, log);
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
        // Over the map, too.
        await page.keyboard.press('2');
        const reported = () => page.evaluate(() => document.querySelector('.large.loop .details .n').textContent.replaceAll(',', ''));
        assert.equal(Number(await reported()), count);
        await report(url, { rate: 10, ms: 90, from: 101000 });
        await until('the number over the map follows', async () => Number(await reported()) === count + 1);
        await page.keyboard.press('Escape');
    });

    await t.test('keys: panels, pause, tour, replay', async () => {
        await page.keyboard.press('2');
        await until('both panels are large', async () => await page.locator('.panel.large').count() === 2);
        assert.match(await page.getAttribute('#over-loop .details a', 'href'), /^\/analyst\?lang=zh-CN#layer=hazard/);
        assert.match(await page.textContent('#over-open .second'), /\/wall\?drive=/);
        await shot(page, 'large');
        // Where it stands otherwise it stays, and tells the same.
        for (const id of ['loop', 'open']) {
            const [there, over] = await page.evaluate((k) => ['at', 'over'].map((p) => document.querySelector(`#${p}-${k} .figure b`)).map((b) => [b.textContent, b.getBoundingClientRect().width > 10]), id);
            assert.deepEqual(there, over);
        }
        // All departments are told, none cut, each with its rows.
        const departments = await page.evaluate(() => [...document.querySelectorAll('#over-open .names li:not(.head)')].map((li) => [li.textContent, li.scrollWidth > li.clientWidth + 1]));
        const by = await json(`${url}/stats/hazard?by=department&filter=${encodeURIComponent('resolved IS NULL')}`);
        assert.deepEqual(departments.map(([name]) => name).sort(), by.groups.map((g) => g.id).sort());
        assert.deepEqual(departments.filter(([, cut]) => cut), []);
        const charts = await page.evaluate(() => window.onemapWall.over.flatMap((p) => p.charts.map((c) => c.chart)).length);
        assert.equal(charts, 3);
        await page.keyboard.press('Escape');
        assert.equal(await page.locator('.panel.large').count(), 0);
        assert.equal(await page.locator('#panels > *').count(), 10);
        for (const key of '156789') {
            await page.keyboard.press(key);
            const said = await page.evaluate(() => [...document.querySelectorAll('.large .details span:first-child')].map((n) => [n.textContent, n.scrollWidth > n.clientWidth]));
            assert.ok(said.length >= (key === '9' ? 0 : 3), `${key}: ${said.length} numbers`);
            assert.deepEqual(said.filter(([, cut]) => cut), [], key);
            if (key !== '9') continue;
            // All towns, each on a line of its own.
            const [told, known, out] = await page.evaluate(() => {
                const { store, part } = window.onemapWall, room = document.querySelector('#over-ranking').getBoundingClientRect(), lines = [...document.querySelectorAll('#over-ranking .names li')];
                return [lines.length, store.value(part.ranking.inTime).groups.filter((g) => g.id !== null && Number.isFinite(g.share)).length, lines.filter((li) => li.getBoundingClientRect().bottom > room.bottom || li.getBoundingClientRect().height < 0.94 * window.onemapWall.layout.unitPx).length];
            });
            assert.deepEqual([told, out], [known, 0]);
            assert.ok(known > 20);
        }
        await page.keyboard.press('Escape');
        await page.keyboard.press('ArrowRight');
        const places = await page.evaluate(() => window.onemapWall.tour.places.length);
        if (places) await until('its name', async () => /显著热点/.test(await page.textContent('#place')));
        await page.keyboard.press('Home');
    });

    await t.test('a replay: hour by hour the numbers and the field as they stood', async () => {
        const now = await Promise.all([figure('loop', 0), figure('loop', 1), figure('open', 0)]);
        await page.evaluate(() => {
            const { replay, catalog } = window.onemapWall, show = replay.show.bind(replay);
            catalog.wall.replay_hours = 6;
            const exact = (id, n) => Number(document.querySelectorAll(`#at-${id} .figure`)[n].title.replaceAll(',', ''));
            // A clock that waits for each hour to be shown, and at the fourth for us.
            const hourMs = 1500 / 8, upTo = () => Math.min(window.hours.length > 6 ? Infinity : window.hours.length, window.held) * hourMs;
            let nowMs = 0;
            window.held = 4;
            const clock = { now: () => nowMs, cancel: (timer) => clearTimeout(timer), after: (act, ms) => setTimeout(() => {
                nowMs = Math.max(nowMs, Math.min(nowMs + ms, upTo()));
                act();
            }, ms > 1e4 ? ms : 10) };
            Object.assign(replay, { clock, playMs: 8 * hourMs, patienceMs: 120000, show: (hour) => {
                show(hour);
                window.hours.push({ at: hour.then.iso(), reported: exact('loop', 0), resolved: exact('loop', 1), open: exact('open', 0),
                    ages: [0, 1, 2, 3].map((i) => window.onemapWall.store.value(`age:${i}`).count), place: document.getElementById('place').textContent });
            } });
            window.hours = [];
        });
        log.asked.length = 0;
        await page.keyboard.press('r');
        await until('the replay runs', () => page.evaluate(() => window.hours.length > 3));
        assert.ok(await page.evaluate(() => window.onemapWall.overlay.points.length) > 0);
        assert.match(await page.textContent('#place'), /回放/);
        assert.match(await page.textContent('#legend'), /每6小时减半/);
        await shot(page, 'replay');
        await page.evaluate(() => { window.held = Infinity; });
        await until('it is over', () => page.evaluate(() => !window.onemapWall.replay.running));
        const hours = await page.evaluate(() => window.hours);
        assert.equal(hours.length, 7);
        const [head, ...lines] = (await (await fetch(`${url}/collections/hazard/items.csv`)).text()).trim().split('\n'), names = head.replace('\ufeff', '').split(',');
        const column = (name) => lines.map((line) => Date.parse(line.split(',')[names.indexOf(name)])), reported = column('reported'), resolved = column('resolved');
        for (const [i, hour] of hours.entries()) {
            const t = Date.parse(hour.at), came = (times) => times.filter((ms) => ms <= t).length;
            assert.equal(t - Date.parse(hours[0].at), i * 36e5);
            assert.equal(hour.reported, came(reported), hour.at);
            assert.equal(hour.resolved, came(resolved), hour.at);
            assert.equal(hour.open, hour.reported - hour.resolved);
            assert.equal(hour.ages.reduce((a, b) => a + b), hour.open);
        }
        assert.ok(hours[0].reported < hours[6].reported);
        const fields = new Set(log.asked.filter((u) => /heat.*at=/.test(u)).map((u) => new URL(u).searchParams.get('at')));
        assert.deepEqual([...fields].sort(), hours.map((h) => h.at));
        const tiles = log.asked.filter((u) => u.includes('at=')), [early] = tiles.filter((u) => u.includes(encodeURIComponent(hours[1].at)));
        const bytes = async (u) => Buffer.from(await (await fetch(u)).arrayBuffer()).toString('base64');
        assert.notEqual(await bytes(early), await bytes(early.replace(encodeURIComponent(hours[1].at), encodeURIComponent(hours[6].at))), 'the field moves');
        // It is now again.
        assert.deepEqual(await Promise.all([figure('loop', 0), figure('loop', 1), figure('open', 0)]), now);
        assert.deepEqual(await page.evaluate(() => [window.onemapWall.overlay.points, window.onemapWall.store.front, ...['then-0', 'then-1'].map((id) => !!window.onemapWall.map.map.getSource(id)), document.body.className]),
            [null, null, false, false, 'wall']);
        // Left before its end, too.
        await page.keyboard.press('r');
        await until('it runs once more', () => page.evaluate(() => window.onemapWall.replay.then !== null));
        await page.keyboard.press('Escape');
        assert.deepEqual(await Promise.all([figure('loop', 0), figure('loop', 1), figure('open', 0)]), now);
        assert.equal(await page.evaluate(() => window.onemapWall.overlay.points), null);
    });

    await t.test('a replay by the clock of the city', async () => {
        const early = await context.newPage();
        await early.addInitScript(() => {
            // A second before eight in the city, however long the page takes.
            const now = Date.parse('2026-03-01T07:59:59+08:00');
            Date.now = () => now;
        });
        await early.goto(`${url}/wall?motion=no&replay=08:00`);
        await until('it runs by itself', () => early.evaluate(() => !!window.onemapWall?.replay?.running));
        await early.close();
    });

    await t.test('at night it begins anew', async () => {
        const { page: old, log: seen } = await open(context, `${url}/wall?motion=no`);
        const tried = () => seen.asked.filter((u) => new URL(u).pathname === '/wall').length, first = tried();
        const night = (silent) => old.evaluate(async (s) => {
            const { onemapWall: wall } = window;
            window.old = true;
            Object.assign(wall, { startedMs: -1e9, newsMs: -1e9 });
            // Whenever this runs, its reports have come in another hour.
            wall.hours.each.fill(1);
            wall.hours.each[4] = 0;
            Date.now = () => Date.parse('2026-03-01T04:30:00+08:00');
            wall.live.silent = s;
            await wall.rest();
        }, silent);
        await night(true);
        await quiet(old, seen);
        assert.deepEqual([await old.evaluate(() => window.old), tried()], [true, first], 'never into silence');
        // Nor into a server that speaks and does not give the page.
        await old.route((u) => u.pathname === '/wall', (route) => route.fulfill({ status: 503, body: '' }));
        await night(false);
        await quiet(old, seen);
        assert.deepEqual([await old.evaluate(() => window.old), tried()], [true, first + 1], 'never into an error');
        await old.unrouteAll({ behavior: 'wait' });
        // The page may be gone before it can say so.
        await night(false).catch((error) => { if (!/context was destroyed|navigation/.test(error.message)) throw error; });
        await until('a new page', () => old.evaluate(() => !window.old && document.body.dataset.ready === 'yes').catch(() => false));
        await old.close();
    });

    await t.test('a second screen drives it', async () => {
        const id = await page.evaluate(() => window.onemapWall.id);
        const hand = await context.newPage();
        await hand.setViewportSize({ width: 390, height: 844 });
        await hand.goto(`${url}/wall?drive=${id}`);
        await hand.getByRole('button', { name: '3 四级巡查' }).click();
        await until('the panel is large', () => page.evaluate(() => !!document.getElementById('over-patrol')));
        await hand.getByRole('button', { name: '关闭面板' }).click();
        await until('it is not', () => page.evaluate(() => !document.querySelector('.panel.large')));
        await until('the towns', async () => await hand.locator('#places select').count() === 1);
        const [town] = await hand.locator('#places select').first().selectOption({ index: 2 });
        const name = (await json(`${url}/collections/town/items/${town}`)).properties.name;
        await until('the wall is there', async () => await page.textContent('#place') === name);
        // With what is known of it and its outline; and the hand is told that it was sent.
        const inTown = (await json(`${url}/stats/hazard?filter=${encodeURIComponent(`severity >= 3 AND resolved IS NULL AND town = '${town}'`)}`)).count;
        assert.ok((await page.textContent('#sentence')).startsWith(`未处置的较高以上隐患${inTown}宗`), await page.textContent('#sentence'));
        const crew = (await json(`${url}/stats/worker?by=town`)).groups.find((g) => g.id === town);
        assert.equal(/,(\d+)名网格管理员。/.exec(await page.textContent('#sentence'))?.[1], crew.hidden ? undefined : String(crew.count));
        assert.match(await page.textContent('#sentence'), /。近28天.*热点/);
        assert.equal(await page.evaluate(() => window.onemapWall.overlay.outline?.type), 'Polygon');
        await shot(page, 'sent');
        await until('it is said to have been sent', async () => await hand.textContent('.said') === `已送到大屏 ${id}:${name}`);
        assert.ok(await hand.evaluate(() => document.querySelector('.said').getBoundingClientRect().bottom < innerHeight), 'and is seen');
        await until('its villages', async () => await hand.locator('#places select').count() === 2);
        // What somebody types, too: a unit, and an address with what is known of its place.
        await hand.fill('.search input', 'humen');
        await hand.locator('#found [role=option]').first().click();
        await until('the town', async () => /虎门/.test(await page.textContent('#place')));
        const { features: [{ properties: address }] } = await json(`${url}/collections/address/items?limit=1`);
        const near = (await json(`${url}/search?q=${encodeURIComponent(address.text)}&limit=1`)).results[0], here = await json(`${url}/reverse?lon=${near.lon}&lat=${near.lat}`);
        await hand.fill('.search input', address.text);
        await hand.locator('#found [role=option]', { hasText: near.name }).first().click();
        await until('the address', async () => await page.textContent('#place') === here.address.text);
        assert.ok((await page.textContent('#sentence')).includes(here.grid.name));
        assert.ok(await page.evaluate(() => window.onemapWall.overlay.mark !== null && window.onemapWall.map.zoom > 15));
        await shot(page, 'address');
        await shot(hand, 'drive');
        await hand.close();
    });

    await t.test('the drawing is lost, and comes back or does not', async () => {
        const { page: other, log: said } = await open(context, `${url}/wall?motion=no`);
        await filled(other);
        const lose = () => other.evaluate(() => {
            window.gone = window.onemapWall.map.map.getCanvas().getContext('webgl2').getExtension('WEBGL_lose_context');
            window.gone.loseContext();
        });
        await other.evaluate(() => { window.onemapWall.map.lostAfterMs = 120000; });
        await lose();
        await until('it is known', () => other.evaluate(() => !!window.onemapWall.map.lost));
        await other.evaluate(() => window.gone.restoreContext());
        await until('the map is drawn again', () => other.evaluate(() => window.onemapWall.map.map.loaded()));
        assert.equal(await other.evaluate(() => window.onemapWall.pictures), false);
        await shot(other, 'restored');
        await other.evaluate(() => { window.onemapWall.map.lostAfterMs = 200; });
        await lose();
        await until('pictures go on', () => other.evaluate(() => document.querySelector('#map img')?.naturalWidth > 1000));
        assert.match(await other.textContent('#mode'), /图片模式/);
        assert.equal(await other.locator('canvas.maplibregl-canvas').count(), 0);
        assert.equal(await other.locator('#map > *').count(), 1, 'one map');
        const before = Number((await other.evaluate(() => document.querySelector('#at-loop .figure').title)).replaceAll(',', ''));
        await report(url, { rate: 10, ms: 90, from: 300000 });
        await until('numbers follow', async () => Number((await other.evaluate(() => document.querySelector('#at-loop .figure').title)).replaceAll(',', '')) === before + 1);
        await shot(other, 'lost');
        assert.deepEqual(said.bad, []);
        await other.close();
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
    await until('the picture', () => page.evaluate(() => document.querySelector('#map img')?.naturalWidth > 1000));
    assert.equal(await page.locator('.panel').count(), 10);
    assert.match(await page.textContent('#mode'), /图片模式/);
    // Each open serious hazard, though lists of rows end after a page.
    const serious = await json(`${url}/stats/hazard?filter=${encodeURIComponent('severity >= 3 AND resolved IS NULL')}`);
    await until('all hazards', () => page.evaluate((n) => window.onemapWall.marks.all.length === n, serious.count));
    // Of a place whose picture does not come nothing is said; once it comes it is.
    await page.evaluate(() => {
        const { onemapWall: wall } = window, { features } = wall.store.value(wall.part.map.tour.key);
        wall.pause(true);
        for (const f of features) Object.assign(f.properties, { bin: 3, ratio: 2 });
        wall.places();
    });
    // The tour may have been on its way when it was stopped.
    await page.keyboard.press('Home');
    await until('it rests', () => page.evaluate(() => document.getElementById('place').textContent === '全市' && window.onemapWall.map.wanted === window.onemapWall.map.at));
    const before = await page.evaluate(() => [document.getElementById('place').textContent, window.onemapWall.map.zoom]);
    await page.route((u) => u.pathname === '/map.png', (route) => route.abort());
    await Promise.all([page.waitForEvent('requestfailed', (r) => new URL(r.url()).pathname === '/map.png'), page.keyboard.press('ArrowRight')]);
    await until('it was tried', () => page.evaluate(() => window.onemapWall.map.wanted === window.onemapWall.map.at));
    await quiet(page, log);
    assert.deepEqual(await page.evaluate(() => [document.getElementById('place').textContent, window.onemapWall.map.zoom]), before);
    await page.unrouteAll({ behavior: 'wait' });
    // However pictures and news come, what is said, outlined and named is of what is seen.
    await page.evaluate(() => {
        window.states = [];
        const look = () => {
            const { onemapWall: wall } = window, said = document.getElementById('place').textContent === '全市', state = JSON.stringify({ bbox: new URL(document.querySelector('#map img').src).searchParams.get('bbox'), said,
                chosen: wall.map.chosen.length === 0, named: !wall.overlay.labels.some((l) => l.kind === 'place'), beside: !said || wall.overlay.labels.some((l) => l.beside) });
            if (window.states.at(-1) !== state) window.states.push(state);
            requestAnimationFrame(look);
        };
        look();
    });
    for (const [key, whole] of [['ArrowRight', false], ['Home', true]]) {
        const held = [];
        await page.route((u) => u.pathname === '/map.png', (route) => held.push(route));
        await page.keyboard.press(key);
        await until('a picture is asked for', () => held.length === 1);
        await page.evaluate(() => {
            const { onemapWall: wall } = window;
            // As of news.
            wall.map.load();
            for (const { question } of wall.store.entries.values()) wall.hear(question.key);
            return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        });
        const go = held.splice(0);
        held.push = (route) => route.continue();
        for (const route of go) await route.continue();
        await until(whole ? 'all again' : 'the place', async () => (await page.textContent('#place') === '全市') === whole);
        await page.unrouteAll({ behavior: 'wait' });
    }
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    const states = await page.evaluate(() => window.states.map((s) => JSON.parse(s)));
    assert.deepEqual(states.map(({ bbox, ...s }) => s), [true, false, true].map((whole) => ({ said: whole, chosen: whole, named: whole, beside: true })), JSON.stringify(states));
    assert.notEqual(states[0].bbox, states[1].bbox);
    assert.equal(states[0].bbox, states[2].bbox);
    log.said.length = 0;
    await shot(page, 'pictures');
    await upright(page, log, new URL(url).host);
});

test('what a wall asks for is answered to its role, and what it leads to is open', { skip }, async (t) => {
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

    // In a browser: nothing is refused, each link leads to rows that may be seen, and few workers are a dot.
    const { context, close } = await launch();
    t.after(close);
    const { page, log } = await open(context, `${url}/wall?motion=no&token=${token.wall}`);
    await filled(page);
    assert.equal(await page.locator('.panel').count(), 10);
    assert.deepEqual(await page.evaluate(() => [...window.onemapWall.store.entries.values()].filter((e) => e.answer.status !== 'ok').map((e) => e.question.key)), []);
    assert.equal(await page.locator('#at-register .figure:not(a)').count(), 1, 'of the workers only their number');
    // Points of the map are all there, though lists of rows end after a page.
    const { count } = (await ask('wall', '/stats/hazard')).body;
    const points = await page.evaluate(async () => {
        const { pointsIn } = await import('/pages/wall/points.js');
        return (await pointsIn({ layer: 'hazard', filter: 'severity >= 1', properties: ['severity', 'reported'] }, window.onemapWall.box)).map((p) => [p.lonDeg, p.latDeg, p.properties.severity, p.properties.reported]);
    });
    assert.ok(count > 1000);
    assert.equal(points.length, count);
    const list = (await ask('wall', '/collections/hazard/items?limit=1000&properties=severity,reported')).body.features;
    assert.ok(list.length < count);
    for (const f of list.slice(0, 50)) {
        const [lon, lat] = f.geometry.coordinates, { severity, reported } = f.properties;
        assert.ok(points.some((p) => Math.abs(p[0] - lon) < 1e-3 && Math.abs(p[1] - lat) < 1e-3 && p[2] === severity && Date.parse(p[3]) === Date.parse(reported)), f.id);
    }
    const crews = (await ask('wall', '/stats/worker?by=town')).body.groups;
    assert.ok(crews.some((g) => g.hidden));
    await until('the towns are named', () => page.evaluate(() => window.onemapWall.overlay.labels.some((l) => l.beside)));
    const beside = new Map(await page.evaluate(() => window.onemapWall.overlay.labels.map((l) => [l.id, l.beside])));
    for (const g of crews.filter((c) => beside.has(c.id))) assert.equal(beside.get(g.id), g.hidden ? '·' : String(g.count));
    assert.deepEqual(log.bad, []);
    assert.deepEqual(await page.evaluate(() => window.violations), []);
    await shot(page, 'role');
});

test('hidden, nothing, unknown and not connected look different', { skip }, async (t) => {
    const dir = await folder(t), city = path.join(dir, 'city');
    await done('synth', path.join(dir, 'files'), '--scale', '0.001', '--quiet');
    await done('import', city, '--all', path.join(dir, 'files'), '--quiet');
    const { url } = await serve(t, city);
    const { context, close } = await launch();
    t.after(close);
    // What servers of all kinds may say: one number too few to be told, one refused, one that fails, and nothing.
    const answers = { '/stats/business': { status: 200, body: { layer: 'business', count: null, hidden: true } }, '/stats/facility': { status: 404, body: {} },
        '/stats/building': { status: 500, body: {} }, '/stats/grid': { status: 200, body: { layer: 'grid', count: 0 } } };
    await context.route((u) => u.pathname in answers && !u.search, (route) => {
        const { status, body } = answers[new URL(route.request().url()).pathname];
        return route.fulfill({ status, contentType: 'application/json', body: JSON.stringify(body) });
    });
    const byLevel = await json(`${url}/coverage/patrol?by=level`);
    Object.assign(byLevel.rows[0], { due: null, done: 0, overdue: null, unjudged: undefined });
    await context.route((u) => u.pathname === '/coverage/patrol', (route) => route.fulfill({ status: 200, contentType: 'application/json', body: JSON.stringify(byLevel) }));
    const { page } = await open(context, `${url}/wall?motion=no`);
    await filled(page);
    const look = (selector) => page.evaluate((s) => [...document.querySelectorAll(s)].map((n) => n.textContent + getComputedStyle(n, '::before').content.replace(/^none$|"/g, '')), selector);
    const names = await look('#at-register .name'), shown = await look('#at-register b');
    const of = (name) => shown[names.indexOf(name)];
    assert.deepEqual(['市场主体', '实有设施', '建筑物', '综合网格'].map(of), ['·', '·', '?', '0']);
    assert.deepEqual(await look('#at-patrol tbody tr:first-child td > *'), ['·', '0', '·', '?']);
    assert.deepEqual(await page.evaluate(() => [...document.querySelectorAll('#at-register .figure')].map((f) => f.title).filter((x) => x && !/\d/.test(x))), ['暂时读不到', '无权查看', '数量过少,不予显示']);
    assert.match((await look('.sources .is-absent'))[0], /^未接入/);
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
