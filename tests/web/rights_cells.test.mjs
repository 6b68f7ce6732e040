// Roles of a city's own, and what units tell them.
//
// Plan
//   cells: no address tells of persons by units finer than the role's smallest
//   cell; where no unit is asked for it is told by that; by coarser ones as before
//   unknown: what a role does not see is unknown and never nothing: as of a city
//   that has no such layer
//   words: what a model or city.json names and a role does not see is answered as
//   what does not exist, byte for byte, and nothing of it is named
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { askAs, makeSynthetic, rowsOf, token } from './roles.mjs';
import { serve } from './server.mjs';

test('roles of one\'s own', async (t) => {
    const { city } = await makeSynthetic(t, 0.004);
    const file = path.join(city, 'roles.json'), roles = JSON.parse(await readFile(file, 'utf8'));
    const counts = { layers: ['*'], personal: 'counts', smallest_cell: 'village', smallest_count: 50, export: true };
    roles.roles.village = counts;
    roles.roles.none = { ...counts, personal: 'none', smallest_cell: 'grid' };
    roles.roles.own = { ...counts, layers: ['hazard', 'town', 'village', 'grid', 'rental'], columns: { hazard: ['id', 'severity', 'status', 'reported'], rental: ['id', 'residents'] } };
    await writeFile(file, JSON.stringify(roles));
    const who = {};
    for (const role of ['village', 'none', 'own', 'admin', 'ingest', 'wall']) who[role] = await token(city, role);
    const { url } = await serve(t, city);
    const as = Object.fromEntries(Object.entries(who).map(([name, text]) => [name, askAs(url, text)]));
    const grids = (await rowsOf(city, 'grid')).map((r) => r.id), villages = (await rowsOf(city, 'village')).map((r) => r.id);

    await t.test('the smallest cell', async () => {
        const finer = ['/coverage/workload?by=grid', '/coverage/workload?by=grid&measure=residents', '/coverage/workload?by=grid&balance=true', '/coverage/patrol?by=grid', '/coverage/patrol?by=grid&f=geojson', '/coverage/patrol?by=grid&levels=true',
            '/stats/worker?by=grid', '/stats/address?by=grid&sum=residents', '/stats/hazard?by=grid&per=resident', '/hotspots/worker?units=grid', '/hotspots/hazard?units=grid&stat=eb&per=resident', '/positions?by=grid', '/coverage/workload?by=grid&sorted=true',
            '/tiles/choropleth:grid/10/835/444.png?layer=worker', '/map.png?layers=choropleth:grid&layer=worker&width=200&height=200', '/legend/choropleth:grid.json?layer=worker'];
        for (const target of finer) {
            const answer = await as.village(target);
            assert.ok([400, 404].includes(answer.status), `${target}: ${answer.status} ${answer.text().slice(0, 200)}`);
            for (const id of grids) assert.ok(!answer.text().includes(id), target);
        }
        assert.equal((await as.village('/coverage/workload?by=grid')).text(), (await as.village('/coverage/patrol?by=grid')).text());
        for (const kind of ['workload', 'patrol']) {
            const told = (await as.village(`/coverage/${kind}`)).json(), rows = told.rows ?? told.features ?? told.items;
            assert.deepEqual(rows.map((r) => r.id).filter(Boolean).sort(), [...villages].sort(), kind);
            assert.equal((await as.village(`/coverage/${kind}?by=town`)).status, 200);
            assert.equal((await as.wall(`/coverage/${kind}?by=grid`)).status, 200);
        }
    });

    await t.test('unknown is not nothing', async () => {
        for (const role of ['none', 'own'])
            for (const by of ['grid', 'village', 'town']) {
                const answer = await as[role](`/coverage/workload?by=${by}`);
                if (role === 'own' && by === 'grid') {
                    assert.equal(answer.status, 404);
                    continue;
                }
                assert.equal(answer.status, 200, answer.text());
                const told = answer.json(), rows = told.rows ?? told.items;
                assert.deepEqual([told.unmanned, told.workers_without_unit, told.workers_of_no_such_unit], [null, null, null]);
                assert.ok(rows.length);
                for (const row of rows) {
                    assert.deepEqual([row.workers, row.class, row.checks_norm ?? null, row.hidden], [null, null, null, true], `${role} ${by}`);
                    assert.doesNotMatch(row.text_en, /no worker|: 0/);
                }
            }
        assert.ok((await as.admin('/coverage/workload?by=grid')).json().unmanned >= 0);
    });
});
