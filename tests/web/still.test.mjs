// Live differencing: whoever sees that a row is written and asks for sums around
// that moment learns of ten rows together, or of nothing.
//
// Plan
//   one by one: values of single rows change in one grid; what a role that only
//   counts is told (sums, kinds, patrols, rates, maps, values) stays, to the byte,
//   until ten rows have changed there in that column, and is exact then
//   cells: ten rows of one unit that are nine of one cell of the tiles and one of
//   another are told in neither, nor by the unit
//   columns: nine of one column and one of another are not ten
//   compaction and rows that come, go and come back tell nothing
//   elsewhere: other grids are told meanwhile
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { GEOJSON, MERGE } from './ask.mjs';
import { askAs, features, groupBy, makeSynthetic, rowsOf, token } from './roles.mjs';
import { tileX, tileY } from './sample.mjs';
import { serve } from './server.mjs';

const LEAST = 10;

test('values that change one by one', async (t) => {
    const { dir, city } = await makeSynthetic(t, 0.01), config = path.join(dir, 'serve.json');
    // Of the layers with residents rentals are the one that is added up.
    const about = path.join(city, 'city.json'), manifest = JSON.parse(await readFile(about, 'utf8'));
    manifest.exposures.resident.layer = 'rental';
    // Of visits each row is somebody here: of so few workers no cell would be told.
    const visits = manifest.layers.find((layer) => layer.name === 'visit');
    delete visits.person;
    visits.personal_columns = visits.personal_columns.filter((column) => column !== 'worker');
    await writeFile(about, JSON.stringify(manifest));
    const file = path.join(city, 'roles.json'), roles = JSON.parse(await readFile(file, 'utf8'));
    roles.roles.unpersonal = { layers: ['*'], personal: 'none' };
    await writeFile(file, JSON.stringify(roles));
    const who = { admin: await token(city, 'admin'), wall: await token(city, 'wall'), analyst: await token(city, 'analyst'), unpersonal: await token(city, 'unpersonal') };
    const rentals = await rowsOf(city, 'rental'), byGrid = groupBy(rentals, (r) => r.grid);
    // The two grids with most houses.
    const [[grid, houses], [other, others]] = Object.entries(byGrid).filter(([g]) => g).sort((a, b) => b[1].length - a[1].length);
    assert.ok(others.length > 2 * LEAST + 2);
    await writeFile(config, JSON.stringify({ persons_s: 1, compact_rows: 7 }));
    const { url } = await serve(t, city, '--config', config), admin = askAs(url, who.admin);

    const send = async (method, target, body, type = MERGE) => (await admin(target, { method, body, type })).status;
    const patch = async (id, properties) => assert.equal(await send('PATCH', `/collections/rental/items/${id}`, { type: 'Feature', properties }), 200);
    /** Until what is told of persons has been looked at after all that is written. */
    const looked = async (layer = 'rental') => {
        const sequence = Number((await admin(`/stats/${layer}`)).headers['data-sequence']);
        for (let i = 0; i < 600; i++) {
            const at = Number(/\nonemap_persons_sequence (\d+)/.exec((await admin('/metrics')).text())[1]);
            if (at >= sequence) return;
            await new Promise((resolve) => setTimeout(resolve, 100));
        }
        assert.fail('never looked at');
    };
    const TARGETS = ['/stats/rental?by=grid&sum=residents', '/stats/rental?by=village&sum=residents', '/stats/rental?by=town&sum=residents', '/stats/rental?sum=residents', '/stats/rental?by=level',
        '/stats/rental?by=residents', '/stats/rental?by=level_since', '/coverage/patrol?by=level', '/coverage/patrol?by=town', '/coverage/workload?by=town', '/coverage/service',
        '/tiles/heat:rental_fire/12/3337/1778.png', '/tiles/heat:rental_fire/14/13350/7112.png', '/value?name=heat:rental_fire&lon=113.75&lat=23.02', '/stats/visit?by=town'];
    /** What is told, without what says when. */
    const told = async () => {
        const out = {};
        for (const role of ['wall', 'analyst', 'unpersonal'])
            for (const target of TARGETS) {
                const answer = await askAs(url, who[role])(target);
                out[`${role} ${target}`] = `${answer.status} ${answer.body.toString('base64')}`;
            }
        return out;
    };
    const sumOf = async (role, unit) => (await askAs(url, who[role])('/stats/rental?by=grid&sum=residents')).json().groups.find((g) => g.id === unit).sum;
    const kinds = async (role) => Object.fromEntries((await askAs(url, who[role])('/stats/rental?by=level')).json().groups.map((g) => [g.id, g.count]));
    const before = await told(), exact = await sumOf('admin', grid);
    assert.equal(await sumOf('wall', grid), exact);
    assert.ok(Object.values(before).filter((a) => a.startsWith('200')).length > 20);

    await t.test('nine rows tell nothing, ten tell all ten', async () => {
        for (const [i, row] of houses.slice(0, LEAST - 1).entries()) {
            await patch(row.id, { residents: Number(row.residents) + 1000 * (i + 1) });
            if (i === 0 || i > 5) {
                await looked();
                assert.deepEqual(await told(), before, `after ${i + 1}`);
            }
        }
        // One of them again and again is one.
        for (let i = 0; i < 20; i++) await patch(houses[0].id, { residents: 5000 + i });
        await looked();
        assert.deepEqual(await told(), before);
        assert.ok(await sumOf('admin', grid) > exact + 1000 * 40);
        // Another column of another row is not the tenth.
        await patch(houses[LEAST].id, { level: houses[LEAST].level === 'strict' ? 'lenient' : 'strict' });
        await looked();
        assert.deepEqual(await told(), before);
        await patch(houses[LEAST - 1].id, { residents: Number(houses[LEAST - 1].residents) + 7 });
        await looked();
        assert.deepEqual(await told(), before, 'one level still waits');
        await patch(houses[LEAST].id, { level: houses[LEAST].level });
        await looked();
        assert.equal(await sumOf('wall', grid), await sumOf('admin', grid));
        assert.notEqual(await sumOf('wall', grid), exact);
        assert.deepEqual(await kinds('wall'), await kinds('admin'));
    });

    await t.test('levels are told ten at a time, and elsewhere they are not waited for', async () => {
        const was = await kinds('wall'), levels = others.slice(0, LEAST), to = (row) => (row.level === 'prohibited' ? 'lenient' : 'prohibited');
        const steps = [];
        for (const [i, row] of levels.entries()) {
            await patch(row.id, { level: to(row) });
            if (i > 1 && i < LEAST - 2) continue;
            await looked();
            const now = await kinds('wall');
            steps.push(now.prohibited - was.prohibited);
            if (i < LEAST - 1) assert.deepEqual(now, was, `after ${i + 1}`);
        }
        assert.deepEqual(await kinds('wall'), await kinds('admin'));
        assert.ok(steps.at(-1) !== 0, `${steps}`);
        // The first grid has two that wait meanwhile.
        const waiting = await sumOf('wall', grid);
        for (const row of houses.slice(0, 2)) await patch(row.id, { residents: 1 });
        for (const row of others.slice(0, LEAST)) await patch(row.id, { residents: 77 });
        await looked();
        assert.equal(await sumOf('wall', grid), waiting);
        assert.equal(await sumOf('wall', other), await sumOf('admin', other));
    });

    await t.test('rows of a unit that lies in two cells of the tiles', async () => {
        const Z = 13, cellOf = (row) => `${tileX(Number(row.lon), Z)}/${tileY(Number(row.lat), Z)}`, visits = await rowsOf(city, 'visit'), cells = groupBy(visits, cellOf);
        // Two places of one grid on both sides of a border between cells of many.
        const places = Object.entries(groupBy(visits.filter((v) => v.grid && cells[cellOf(v)].length > 3 * LEAST), (v) => v.grid)).map(([at, rows]) => Object.values(groupBy(rows, cellOf)).map((r) => r[0])).find((p) => p.length > 1);
        assert.ok(places, 'no grid lies across');
        const counts = async () => {
            const out = {};
            for (const p of places)
                for (const [name, properties] of features((await askAs(url, who.analyst)(`/tiles/visit/${Z}/${cellOf(p)}.mvt`)).body)) if (name === 'cells') out[cellOf(p)] = properties.count;
            out.unit = (await askAs(url, who.analyst)('/stats/visit?by=grid')).json().groups.find((g) => g.id === places[0].grid).count;
            return out;
        };
        let n = 0;
        const visit = async (p) => assert.equal(await send('PUT', `/collections/visit/items/CELL-${n++}`, { type: 'Feature', geometry: { type: 'Point', coordinates: [Number(p.lon), Number(p.lat)] },
            properties: { target_layer: p.target_layer, target_id: p.target_id, worker: p.worker, at: p.at, checks_done: Number(p.checks_done), found: Number(p.found) } }, GEOJSON), 201);
        await looked('visit');
        const was = await counts();
        assert.equal(Object.keys(was).length, 3, JSON.stringify(was));
        for (let i = 0; i < LEAST; i++) await visit(places[i ? 0 : 1]);
        await looked('visit');
        assert.deepEqual(await counts(), was);
        for (let i = 0; i < LEAST; i++) await visit(places[i ? 1 : 0]);
        await looked('visit');
        const now = await counts();
        for (const p of places.slice(0, 2)) assert.equal(now[cellOf(p)] - was[cellOf(p)], LEAST);
        if (was.unit !== null) assert.equal(now.unit - was.unit, 2 * LEAST);
    });

    await t.test('rows that come and go are waited for, too', async () => {
        const count = async (role) => (await askAs(url, who[role])('/stats/rental?by=grid&sum=residents')).json().groups.find((g) => g.id === other);
        const was = await count('wall');
        for (const row of others.slice(-3)) assert.equal(await send('DELETE', `/collections/rental/items/${row.id}`), 204);
        await looked();
        assert.deepEqual(await count('wall'), was);
        // Rows are everybody's to see; what they hold is not.
        assert.equal((await askAs(url, who.wall)(`/collections/rental/items/${others.at(-1).id}`)).status, 404);
        assert.equal((await askAs(url, who.wall)('/stats/rental')).json().count, (await admin('/stats/rental')).json().count);
        for (const row of others.slice(LEAST, 2 * LEAST)) await patch(row.id, { residents: 3, level: row.level === 'strict' ? 'warning' : 'strict', level_since: '2023-06-20T00:00:00+08:00' });
        await looked();
        const told = await count('wall'), all = await count('admin');
        // Three went and ten changed in each column that is about persons.
        assert.deepEqual(told, all);
        assert.notDeepEqual(told, was);
    });
});
