// Roles of a city's own, and what units tell them.
//
// Plan
//   cells: no address tells of persons by units finer than the role's smallest
//   cell; where no unit is asked for it is told by that; by coarser ones as before
//   unknown: what a role does not see is unknown and never nothing: as of a city
//   that has no such layer
//   columns: what a role's list leaves out is in no model and no coverage, either
//   words: what a model or city.json names and a role does not see is answered as
//   what does not exist, byte for byte, and nothing of it is named
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { askAs, layersOf, makeSynthetic, rowsOf, token } from './roles.mjs';
import { serve } from './server.mjs';

test('roles of one\'s own', async (t) => {
    const { city } = await makeSynthetic(t, 0.004);
    const file = path.join(city, 'roles.json'), roles = JSON.parse(await readFile(file, 'utf8'));
    const counts = { layers: ['*'], personal: 'counts', smallest_cell: 'village', smallest_count: 50, export: true };
    roles.roles.village = counts;
    roles.roles.none = { ...counts, personal: 'none', smallest_cell: 'grid' };
    roles.roles.own = { ...counts, layers: ['hazard', 'town', 'village', 'grid', 'rental'], columns: { hazard: ['id', 'severity', 'status', 'reported'], rental: ['id', 'residents'] } };
    roles.roles.few = { ...counts, layers: roles.roles.own.layers };
    roles.roles.listed = { ...counts, columns: { premises: ['id', 'kind'] } };
    await writeFile(file, JSON.stringify(roles));
    const who = {};
    for (const role of ['village', 'none', 'own', 'few', 'listed', 'admin', 'ingest', 'wall']) who[role] = await token(city, role);
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
        for (const role of ['none', 'few'])
            for (const by of ['grid', 'village', 'town']) {
                const answer = await as[role](`/coverage/workload?by=${by}`);
                if (role === 'few' && by === 'grid') {
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

    await t.test('columns that a role does not list are in no model and no coverage', async () => {
        const targets = ['/value?name=heat:small_premises&lon=113.75&lat=23.02', '/tiles/heat:small_premises/12/3339/1778.png', '/legend/heat:small_premises.json', '/map.png?layers=heat:small_premises&width=64&height=64', '/coverage/workload?by=village', '/coverage/patrol?by=village'];
        for (const target of targets) {
            assert.equal((await as.village(target)).status, 200, target);
            assert.ok([400, 404].includes((await as.listed(target)).status), target);
        }
        const titled = async (role) => Object.keys((await as[role]('/catalog')).json().layers.find((l) => l.name === 'premises').value_titles);
        assert.ok((await titled('village')).includes('fire_grade'));
        assert.deepEqual((await titled('listed')).filter((column) => column !== 'kind'), []);
    });

    await t.test('no word of what is hidden', async () => {
        const layers = (await layersOf(city)).map((l) => l.name), { exposures } = JSON.parse(await readFile(path.join(city, 'city.json'), 'utf8'));
        const models = (await readdir(path.join(city, 'models'))).map((name) => name.replace(/\.json$/, ''));
        assert.ok(models.length > 2 && Object.keys(exposures).length > 2);
        const at = 'lon=113.75&lat=23.02', heats = (name, q = '') => [`/tiles/heat:${name}/10/835/444.png?${q}`, `/tiles/heat:${name}.json?${q}`, `/styles/heat:${name}.json?${q}`, `/legend/heat:${name}.json?${q}`, `/legend/heat:${name}.png?${q}`,
            `/value?name=heat:${name}&${at}&${q}`, `/map.png?layers=heat:${name}&width=200&height=200&${q}`, `/wmts/1.0.0/heat:${name}/default/WebMercatorQuad/10/444/835.png?${q}`, `/density/${name}.tif?bbox=113.7,23,113.8,23.1&${q}`];
        const whole = { none: [], own: [], few: [], ingest: [] };
        for (const role of Object.keys(whole)) {
            const seen = new Set((await as[role]('/collections')).json().collections.map((c) => c.id)), hidden = layers.filter((name) => !seen.has(name));
            assert.ok(hidden.length > 1);
            const maps = (await as[role]('/catalog')).text(), gone = models.filter((name) => !maps.includes(`"heat:${name}"`));
            if (role !== 'none') assert.ok(gone.length > 1, `${role}: ${gone}`);
            const silent = (answer, target) => {
                assert.doesNotMatch(answer.text(), /city\.json:|duty\.|service\./, `${role} ${target}`);
                for (const name of hidden)
                    if (!target.includes(name)) assert.doesNotMatch(answer.text(), new RegExp(`\\b${name}\\b`), `${role} ${target}`);
            };
            const alike = async (target, other, word, like) => {
                const [got, never] = await Promise.all([as[role](target), as[role](other)]);
                silent(got, target);
                assert.deepEqual([got.status, got.text().replaceAll(word, '?')], [never.status, never.text().replaceAll(like, '?')], `${role} ${target}`);
            };
            for (const name of gone)
                for (const [i, target] of heats(name).entries()) await alike(target, heats('nosuch')[i], name, 'nosuch');
            for (const [name, { layer }] of Object.entries(exposures)) {
                if (!hidden.includes(layer)) continue;
                for (const form of (seen.has('hazard') ? heats('hazard', 'per=X') : []).concat(seen.has('hazard') ? ['/stats/hazard?by=town&per=X', '/hotspots/hazard?units=town&stat=eb&per=X'] : []))
                    await alike(form.replace('=X', `=${name}`), form.replace('=X', '=nosuch'), name, 'nosuch');
            }
            for (const kind of ['service', 'site', 'patrol', 'partition', 'workload']) {
                const answer = await as[role](`/coverage/${kind}?by=town`);
                if (answer.status === 200) continue;
                if (role === 'ingest' && answer.json().parameter === 'by') {
                    // Who sees no layers sees no levels.
                    assert.match(answer.text(), /there is no level 'town'; there is "/);
                    continue;
                }
                assert.equal(answer.text(), (await as[role]('/coverage/nosuch')).text(), `${role} ${kind}`);
                whole[role].push(kind);
            }
            for (const target of [`/reach?${at}&minutes=5`, `/nearest/hazard?${at}&mode=walk`, `/nearest/hazard?${at}&mode=walk&minutes=5`, '/positions', '/hotspots/hazard?units=grid&per=nosuch', '/stats/hazard?per=nosuch', '/coverage/service?mode=nosuch', '/coverage/patrol?layer=nosuch', '/coverage/workload?measure=nosuch'])
                silent(await as[role](target), target);
        }
        assert.deepEqual([whole.few, whole.none], [['service', 'site', 'patrol'], ['service', 'site', 'patrol']]);
        // The partition is of units and what lies in them, whatever a duty says of columns that are not there.
        assert.deepEqual(whole.own, ['service', 'site', 'patrol', 'workload']);
        assert.equal((await as.own(`/reach?${at}&minutes=5`)).status, 404);
        assert.match((await as.admin('/value?name=heat:nosuch&lon=113&lat=23')).text(), /no layer and no model 'nosuch'/);
        for (const name of models) assert.equal((await as.admin(`/legend/heat:${name}.json`)).status, 200);
    });
});
