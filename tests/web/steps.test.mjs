// Following somebody by counts: where those on duty are is told in steps.
//
// Plan
//   one who walks: through five villages, with every role that does not see
//   persons there, of all that can be asked about them: bodies, ETags, events
//   a restart: neither is it told by one, whoever walked before and after
//   nine, and ten: nine together are told nowhere, the tenth by ten, in each
//   level; of all that is told each number and each difference is a whole step
//   connected: who comes on duty alone is not told; that all went off is
//   small grids: told when a step of people stands there, not before
import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import test from 'node:test';

import { LINES } from './ask.mjs';
import { askAs, bearer, groupBy, makeSynthetic, rowsOf, token } from './roles.mjs';
import { tileX, tileY } from './sample.mjs';
import { serve } from './server.mjs';

const STEP = 10, LEVELS = ['town', 'village', 'grid'];

test('one who walks is told of by no count', async (t) => {
    const { dir, city } = await makeSynthetic(t, 0.01), config = path.join(dir, 'serve.json');
    const manifest = JSON.parse(await readFile(path.join(city, 'city.json'), 'utf8')), clock = Date.parse(manifest.clock) / 1000;
    const iso = (s) => new Date((s + 8 * 3600) * 1000).toISOString().replace('.000Z', '+08:00');
    const people = (await rowsOf(city, 'worker')).map((w) => w.id);
    // Places in the villages with most addresses; another grid of the first.
    const addresses = (await rowsOf(city, 'address')).filter((a) => a.grid);
    const villages = Object.entries(groupBy(addresses, (a) => a.village)).sort((a, b) => b[1].length - a[1].length).slice(0, 5).map(([id, rows]) => ({ id, town: rows[0].town, rows }));
    const [elsewhere] = Object.keys(groupBy(addresses, (a) => a.town)).filter((town) => !villages.some((v) => v.town === town));
    const at = (k) => villages[k].rows[0];
    const officer = elsewhere ?? villages[4].town, route = villages.filter((v) => v.town !== officer).slice(0, 5);
    assert.ok(route.length > 3 && people.length > 100, `${route.length} ${people.length}`);
    const who = { admin: await token(city, 'admin'), wall: await token(city, 'wall'), analyst: await token(city, 'analyst'), officer: await token(city, 'officer', '--area', `town:${officer}`) };
    const ROLES = ['wall', 'analyst', 'officer'], COUNTING = ['wall', 'analyst'];
    await writeFile(config, JSON.stringify({ persons_s: 1 }));
    let server = await serve(t, city, '--config', config), as, now = clock;
    const listen = () => { as = Object.fromEntries(Object.entries(who).map(([role, text]) => [role, askAs(server.url, text)])); };
    listen();

    const send = async (method, target, body, how) => (await as.admin(target, { method, body, ...how })).status;
    let fixes = 0;
    const fix = (worker, place, more = {}) => JSON.stringify({ worker, lon: Number(place.lon) + 1e-7 * (++fixes % 50), lat: Number(place.lat), at: now + fixes % 60, on_duty: true, ...more });
    const sequence = async () => (await as.admin('/changes?f=json')).json().sequence;
    const metric = async (name) => Number(new RegExp(`\\n${name} (\\d+)`).exec((await as.admin('/metrics')).text())[1]);
    /** Until it stands in the layer, and what is told has been looked at since. */
    const walk = async (lines) => {
        const before = await sequence();
        assert.equal(await send('POST', '/positions', `${lines.join('\n')}\n`, { type: LINES }), 200);
        for (let i = 0; await sequence() === before; i++) {
            assert.ok(i < 600, 'never laid');
            await new Promise((resolve) => setTimeout(resolve, 150));
        }
        await looked();
    };
    const looked = async (looks = 0) => {
        const upto = await sequence();
        for (let i = 0; await metric('onemap_persons_sequence') < upto || await metric('onemap_persons_looks') < looks; i++) {
            assert.ok(i < 900, 'never looked at');
            await new Promise((resolve) => setTimeout(resolve, 150));
        }
    };
    const v = at(0), Z = 11, cell = `${Z}/${tileX(Number(v.lon), Z)}/${tileY(Number(v.lat), Z)}`;
    const TARGETS = ['/stats/worker', '/collections/worker', '/catalog', '/tiles/worker.json', `/tiles/worker/${cell}.mvt`, '/coverage/workload?by=town',
        '/hotspots/hazard?units=village&exposure=worker&stat=gistar', '/hotspots/hazard?units=hex:2000&exposure=worker&stat=gistar', `/reverse?lon=${v.lon}&lat=${v.lat}`,
        // What nobody may ask stays so.
        `/nearest/worker?lon=${v.lon}&lat=${v.lat}`, '/stats/worker?by=hour', '/stats/worker?by=duty_grid', '/stats/worker?bbox=113,22,114,23', '/stats/worker?datetime=2023-06', `/stats/worker?filter=id='${people[0]}'`,
        '/map.png?layers=choropleth:village&layer=worker&width=200&height=200', '/collections/worker/items', '/tiles/heat:worker/10/835/443.png', `/value?name=heat:worker&lon=${v.lon}&lat=${v.lat}`,
        ...LEVELS.flatMap((by) => [`/stats/worker?by=${by}`, `/positions?by=${by}`, `/tiles/choropleth:${by}/${cell}.png?layer=worker`, `/legend/choropleth:${by}.json?layer=worker`,
            `/value?name=choropleth:${by}&lon=${v.lon}&lat=${v.lat}`])];
    const SHORT = LEVELS.flatMap((by) => [`/stats/worker?by=${by}`, `/positions?by=${by}`]);
    const told = async (targets = TARGETS) => {
        const out = {};
        for (const role of ROLES)
            for (const target of targets) {
                const answer = await as[role](target);
                // The city's sequence tells that something was written somewhere.
                const text = answer.body.toString('latin1'), bare = text.replace(/"sequence":\d+|"timeStamp":"[^"]*"/, '').replaceAll(server.url, ''), etag = !/"sequence":/.test(text) && role !== 'officer' && answer.headers.etag;
                out[`${role} ${target}`] = [answer.status, etag, bare];
            }
        return out;
    };
    /** What differs, by name. */
    const same = (is, was, what = '', etags = true) => assert.deepEqual(Object.keys(was).filter((key) => is[key].some((v, i) => (etags || i !== 1) && v !== was[key][i])).map((key) => `${key} ${is[key].map((v, i) => (v === was[key][i] ? '' : String(v).slice(0, 40)))}`), [], what);
    const groups = async (role, target) => Object.fromEntries((await as[role](target)).json().groups.map((g) => [g.id, g]));
    const counts = async (by) => Object.fromEntries(Object.entries(await groups('analyst', `/stats/worker?by=${by}`)).map(([id, g]) => [id, g.count]));

    // Eighteen in each of five villages, in one grid of each; the others stay.
    await walk(people.slice(0, 90).map((worker, i) => fix(worker, at(i % 5))));
    const W = people[0];
    const first = await counts('village');
    const really = await groups('admin', '/stats/worker?by=village');
    assert.ok(villages.every((one) => first[one.id] >= STEP), JSON.stringify(villages.map(({ id }) => [id, first[id], really[id].count])));

    await t.test('one', async () => {
        const before = await told();
        assert.ok(Object.values(before).filter(([status]) => status === 200).length > 50);
        const events = [], listeners = [...ROLES, 'admin'].map((role) => http.get(`${server.url}/changes`, { headers: { ...bearer(who[role]), accept: 'text/event-stream' } }, (answer) => answer.on('data', (bytes) => events.push(`${role} ${bytes}`))));
        const since = await sequence(), seen = [], missed = async (role) => (await as[role](`/changes?since=${since}&f=json`)).json().layers;
        const once = Object.fromEntries(await Promise.all(COUNTING.map(async (role) => [role, await missed(role)])));
        for (const [i, { rows, id }] of route.entries()) {
            await walk([fix(W, rows[0])]);
            assert.equal((await as.admin(`/collections/worker/items/${W}`)).json().properties.village, id);
            seen.push(JSON.stringify(await counts('village')));
            const now = await told(i === route.length - 1 ? TARGETS : SHORT);
            same({ ...before, ...now }, before, id);
        }
        for (const role of COUNTING) {
            assert.deepEqual(await missed(role), once[role], role);
            assert.doesNotMatch(events.filter((e) => e.startsWith(role)).join('\n'), /worker/);
        }
        // Nor does who has another town in charge; who has them all does.
        assert.doesNotMatch(events.filter((e) => e.startsWith('officer')).join('\n'), /worker/);
        assert.match(events.filter((e) => e.startsWith('admin')).join('\n'), /worker/);
        for (const one of listeners) one.destroy();
        assert.equal(new Set(seen).size, 1);
    });

    await t.test('a restart', async () => {
        const before = await told();
        const restart = async () => {
            await server.stop();
            server = await serve(t, city, '--config', config);
            listen();
            await looked(1);
        };
        await walk([fix(W, route[2].rows[0])]);
        await restart();
        same(await told(), before, '', false);
        await walk([fix(W, route[3].rows[0])]);
        same({ ...before, ...await told(SHORT) }, before, '', false);
        assert.ok((await stat(path.join(city, 'tracks', 'told'))).size);
        assert.equal((await stat(path.join(city, 'tracks'))).mode & 0o077, 0);
    });

    await t.test('nine, and ten', async () => {
        const before = await told(), was = Object.fromEntries(await Promise.all(LEVELS.map(async (by) => [by, await counts(by)])));
        // From the first village and from nowhere near to the second, by one and two.
        const [from, to] = route.map((one) => villages.indexOf(one));
        const walkers = people.slice(0, 90).filter((_, i) => i % 5 === from && people[i] !== W).slice(0, STEP - 1);
        assert.equal(walkers.length, STEP - 1);
        await walk([fix(W, at(from))]);
        await walk(walkers.map((worker) => fix(worker, at(to))));
        same(await told(), before);
        await walk([fix(W, at(to))]);
        const is = Object.fromEntries(await Promise.all(LEVELS.map(async (by) => [by, await counts(by)])));
        assert.ok(is.village[villages[to].id] >= was.village[villages[to].id] + STEP, 'ten are told');
        assert.ok(!is.village[villages[from].id] || is.village[villages[from].id] <= was.village[villages[from].id] - STEP);
        for (const role of COUNTING)
            for (const by of LEVELS)
                for (const target of [`/stats/worker?by=${by}`, `/positions?by=${by}`])
                    for (const [id, g] of Object.entries(await groups(role, target))) {
                        const what = `${role} ${target} ${id} ${JSON.stringify(g)}`;
                        if (g.count === null) assert.equal(g.hidden, true, what);
                        else assert.ok(g.count >= STEP && g.count % STEP === 0, what);
                        assert.ok(!g.connected || g.connected % STEP === 0, what);
                        // As far as it may be told it is true.
                        const all = (await groups('admin', `/stats/worker?by=${by}`))[id]?.count ?? 0;
                        assert.ok(Math.abs((g.count ?? 0) - all) < 2 * STEP, `${what} is ${all}`);
                    }
        assert.equal((await as.analyst('/stats/worker')).json().count, people.length);
    });

    await t.test('connected', async () => {
        const connected = async (role, by) => Object.fromEntries(Object.entries(await groups(role, `/positions?by=${by}`)).map(([id, g]) => [id, g.connected]));
        const [{ id: town }] = Object.entries(groupBy(villages, (one) => one.town)).map(([id, list]) => ({ id, n: list.length })).sort((a, b) => b.n - a.n);
        assert.ok((await connected('analyst', 'town'))[town] >= STEP);
        // Ten minutes later nobody has been seen, but for one.
        now = clock + 600;
        const road = { type: 'Feature', id: 'R-CLOCK', geometry: { type: 'LineString', coordinates: [[113.75, 23.0], [113.76, 23.0]] }, properties: { kind: 'lane' } };
        assert.equal(await send('PUT', '/collections/road/items/R-CLOCK', road, { headers: { 'city-clock': iso(now) } }), 201);
        await looked();
        const none = await connected('analyst', 'town');
        assert.deepEqual(new Set(Object.values(none)), new Set([null]));
        assert.ok((await counts('village'))[villages[2].id] >= STEP, 'they are where they were');
        const before = await told();
        await walk([fix(W, at(2))]);
        assert.equal((await as.admin('/positions')).json().connected, 1);
        same(await told(), before);
    });

    await t.test('small grids', async () => {
        // One place of another grid in a village: all of a step, one by one.
        const before = await counts('grid'), spot = villages[1].rows.find((row) => !before[row.grid] && row.grid !== at(1).grid);
        const [nine, tenth] = [people.slice(90, 90 + STEP - 1), people[89]];
        await walk(nine.map((worker) => fix(worker, spot)));
        const less = (await counts('grid'))[spot.grid];
        const there = (await groups('admin', '/stats/worker?by=grid'))[spot.grid].count;
        if (there < STEP) assert.equal(less, null);
        await walk([tenth, ...people.slice(78, 88)].map((worker) => fix(worker, spot)));
        const more = (await counts('grid'))[spot.grid], is = (await groups('admin', '/stats/worker?by=grid'))[spot.grid].count;
        assert.ok(more >= STEP && Math.abs(more - is) < 2 * STEP, `${more} of ${is}`);
    });
});
