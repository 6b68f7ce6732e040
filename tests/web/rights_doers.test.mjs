// rights_doers.test.mjs - what few workers did, however much it is, is told of nobody.
//
// Plan
//   Counts of visits and checks by unit, as lists, pictures, tiles and tables,
//   are compared with who made them: the register's own rows, by the command
//   line.
//   few: where fewer than the smallest count have rows nothing is told, and
//   where a unit above is told, those hidden in it are at least as many together
//   legends: a choropleth has no larger class than what is told
//   tiles: a cell of many visits of few is not there
//   workload: reports, visits and checks are not told where workers are few
//   rates: per visit, neither
//   patrols: nothing of units where few did it, no share of which a part is hidden
//   hotspots: what is compared with is unknown there, and no cases are chosen
//   columns: of each of a column's values those who made the rows are counted
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { done } from './onemap.mjs';
import { askAs, csv, features, groupBy, makeSynthetic, rowsOf, token } from './roles.mjs';
import { serve } from './server.mjs';

const LEVELS = ['town', 'village', 'grid'];
/** Larger counts than these nobody has alone. */
const LEAST = 3;
/** Cells of tiles are of so many at least, whatever a role says. */
const TILE_LEAST = 10;
/** Who went on rounds that are told. */
const MANY = 12;

test('counts of what few did', async (t) => {
    const { dir, city } = await makeSynthetic(t, 0.01);
    const file = path.join(city, 'roles.json'), roles = JSON.parse(await readFile(file, 'utf8'));
    for (const role of ['wall', 'analyst']) Object.assign(roles.roles[role], { smallest_count: LEAST, rate_per_s: 0 });
    await writeFile(file, JSON.stringify(roles));
    // Twelve who went four times, some 10 km away two who went forty.
    const went = [...Array(4 * MANY).keys()].map((i) => `M${i},113.75,23.02,名${i % MANY},walk,${i % 3}`).concat([...Array(80).keys()].map((i) => `F${i},113.85,23.02,号${i % 2},ride,${3 + i % 2}`));
    await writeFile(path.join(dir, 'round.csv'), `id,lon,lat,by,how,stops\n${went.join('\n')}\n`);
    await done('import', city, 'round', path.join(dir, 'round.csv'), '--id', 'id', '--x', 'lon', '--y', 'lat', '--quiet');
    // As a city that does not name the column: it is known by its values.
    const about = path.join(city, 'city.json'), manifest = JSON.parse(await readFile(about, 'utf8'));
    const said = manifest.layers.filter((l) => l.person);
    assert.deepEqual(said.map((l) => `${l.name} ${l.person}`), ['visit worker', 'check worker']);
    delete said[0].person;
    Object.assign(manifest.layers.find((l) => l.name === 'round'), { personal: true, personal_columns: ['by'], person: 'by', kinds: ['how', 'stops'], tells: { by: ['how'], sum: ['stops'] } });
    await writeFile(about, JSON.stringify(manifest));
    const who = Object.fromEntries(await Promise.all(['wall', 'analyst', 'admin'].map(async (role) => [role, await token(city, role)])));
    const { url } = await serve(t, city);
    const as = Object.fromEntries(Object.entries(who).map(([role, text]) => [role, askAs(url, text)]));
    const rows = Object.fromEntries(await Promise.all(['visit', 'check', 'worker', 'hazard'].map(async (layer) => [layer, await rowsOf(city, layer)])));
    const persons = (list) => new Set(list.map((row) => row.worker)).size;
    const groupsOf = async (role, target) => Object.fromEntries((await as[role](target)).json().groups.map((g) => [g.id, g]));

    await t.test('few', async () => {
        for (const role of ['wall', 'analyst'])
            for (const layer of ['visit', 'check']) {
                let above = null, over = null, hidden = 0, told = 0, many = 0;
                for (const level of LEVELS) {
                    const is = groupBy(rows[layer], (row) => row[level]), groups = await groupsOf(role, `/stats/${layer}?by=${level}`);
                    for (const [id, list] of Object.entries(is)) {
                        const what = `${role} ${layer} ${level} ${id}`;
                        if (groups[id].hidden) { hidden++; many += list.length >= LEAST; continue; }
                        told++;
                        assert.equal(groups[id].count, list.length, what);
                        assert.ok(persons(list) >= LEAST, `${what}: ${list.length} rows of ${persons(list)} are told`);
                    }
                    for (const [id, list] of Object.entries(over ?? { all: rows[layer] })) {
                        if (above?.[id].hidden) {
                            for (const row of list) assert.ok(groups[row[level]].hidden || row[level] === '', `${layer} ${level} ${row[level]} in ${id}`);
                            continue;
                        }
                        const away = list.filter((row) => groups[row[level]].hidden);
                        if (away.length) assert.ok(persons(away) >= LEAST && new Set(away.map((row) => row[level])).size > 1, `${role} ${layer} ${level} in ${id}: ${persons(away)} by subtraction`);
                    }
                    above = groups;
                    over = is;
                }
                assert.ok(hidden > 10 && told > 10 && many > 10, `${layer}: ${hidden} hidden, ${told} told, ${many} of many rows`);
            }
    });
    await t.test('legends', async () => {
        for (const layer of ['visit', 'check'])
            for (const level of LEVELS) {
                const groups = Object.values(await groupsOf('analyst', `/stats/${layer}?by=${level}`));
                const most = Math.max(0, ...groups.map((g) => g.count ?? 0)), all = Object.values(await groupsOf('admin', `/stats/${layer}?by=${level}`));
                const legend = (await as.analyst(`/legend/choropleth:${level}.json?layer=${layer}&stat=count`)).json();
                assert.ok(JSON.stringify(legend).length > 50);
                const numbers = JSON.stringify(legend.classes ?? legend).match(/-?\d+(\.\d+)?/g).map(Number);
                const secret = all.map((g) => g.count).filter((n) => n > most);
                for (const n of secret) assert.ok(!numbers.includes(n), `${layer} ${level}: the legend has ${n}, which is hidden`);
            }
    });
    await t.test('tiles', async () => {
        const [x, y] = [113.75, 23.02].map((deg, i) => (i ? (1 - Math.asinh(Math.tan(deg * Math.PI / 180)) / Math.PI) / 2 : (deg + 180) / 360));
        for (const z of [0, 8, 10, 12]) {
            const cells = features((await as.wall(`/tiles/round/${z}/${Math.floor(x * 2 ** z)}/${Math.floor(y * 2 ** z)}.mvt`)).body).filter(([name]) => name === 'cells');
            assert.equal(cells.reduce((sum, [, p]) => sum + p.count, 0), 4 * MANY, `zoom ${z}: what two did is not told beside it`);
        }
        for (const layer of ['visit', 'check']) {
            const cells = groupBy(rows[layer], (row) => {
                const [lon, lat] = [Number(row.lon), Number(row.lat)];
                return `${Math.floor((lon + 180) / 360 * 8192)}/${Math.floor((1 - Math.asinh(Math.tan(lat * Math.PI / 180)) / Math.PI) / 2 * 8192)}`;
            });
            const told = Object.values(cells).filter((list) => persons(list) >= TILE_LEAST).reduce((sum, list) => sum + list.length, 0);
            assert.equal(features((await as.wall(`/tiles/${layer}/0/0/0.mvt`)).body).reduce((sum, [name, p]) => (name === 'cells' ? sum + p.count : sum), 0), told);
            assert.ok(Object.values(cells).some((list) => list.length >= TILE_LEAST && persons(list) < TILE_LEAST));
        }
    });
    await t.test('workload', async () => {
        for (const level of LEVELS) {
            const work = csv((await as.analyst(`/coverage/workload?by=${level}&month=2023-03&f=csv`)).text());
            const open = Object.fromEntries(csv((await as.admin(`/coverage/workload?by=${level}&month=2023-03&f=csv`)).text()).map((row) => [row.id, row]));
            let away = 0;
            for (const row of work) {
                const own = Number(open[row.id].workers);
                if (own >= LEAST) continue;
                away += Number(open[row.id].reports) > 0;
                for (const column of ['reports', 'done', 'checks']) assert.equal(row[column], '', `${level} ${row.id}: ${column} of ${own}`);
            }
            assert.ok(away || level === 'town');
            assert.ok(level !== 'town' || work.some((row) => row.reports === open[row.id].reports), 'where workers are many it is told');
        }
    });
    await t.test('rates', async () => {
        let away = 0;
        for (const level of LEVELS) {
            const told = await groupsOf('analyst', `/stats/hazard?per=visit&by=${level}`), counts = await groupsOf('analyst', `/stats/visit?by=${level}`);
            for (const [id, g] of Object.entries(told)) {
                if (!counts[id]?.hidden) continue;
                away++;
                assert.deepEqual([g.exposure, g.rate, g.exposure_hidden], [null, null, true], `${level} ${id}`);
            }
        }
        assert.ok(away > 10);
        // Of a month: whoever was at work then; what many did is told in steps of the smallest count.
        for (const [datetime, part] of [['2023-05', 1], ['2023-05-03/2023-05-04', 2 / 31]])
            for (const level of LEVELS) {
                const is = groupBy(rows.visit.filter((row) => row.at.startsWith('2023-05')), (row) => row[level]);
                const may = await groupsOf('analyst', `/stats/hazard?per=visit&by=${level}&datetime=${datetime}`);
                let told = 0;
                for (const [id, list] of Object.entries(is)) {
                    if (!may[id]) continue;
                    if (persons(list) < LEAST) assert.equal(may[id].exposure, null, `May ${id}: visits of ${persons(list)}`);
                    else if (!may[id].exposure_hidden) assert.ok(Math.abs(may[id].exposure - Math.round(list.length / LEAST) * LEAST * part) < 1e-6, `May ${id}: ${++told}`);
                }
            }
    });
    await t.test('patrols', async () => {
        const may = rows.visit.filter((row) => row.at.startsWith('2023-05')), DID = ['count', 'owed', 'due', 'done', 'missed', 'doubtful', 'ahead', 'extra', 'visits', 'overdue', 'never', 'unjudged', 'value', 'weighted', 'risk', 'rank'];
        for (const role of ['wall', 'analyst'])
            for (const level of LEVELS) {
                const lines = csv((await as[role](`/coverage/patrol?by=${level}&month=2023-05&f=csv`)).text()), did = groupBy(may, (row) => row[level]);
                let few = 0, told = 0;
                for (const line of lines) {
                    const what = `${role} ${level} ${line.id} ${JSON.stringify(line)}`;
                    if (did[line.id] && persons(did[line.id]) < LEAST) {
                        few++;
                        for (const column of DID) assert.equal(line[column], '', `${column}: ${what}`);
                        assert.equal(line.hidden, 'true', what);
                        assert.match(line.text_en, /too few to be told/, what);
                    }
                    if (line.due === '' || line.done === '' || line.missed === '') assert.equal(line.value, '', what);
                    else told++;
                    assert.equal(line.value === '', !/%/.test(line.text), what);
                }
                assert.ok(level === 'town' ? told : few, `${level}: ${few} of few, ${told} told`);
            }
    });
    await t.test('hotspots', async () => {
        for (const units of [...LEVELS, 'hex:2000']) {
            const target = `/hotspots/hazard?units=${units}&per=visit&datetime=2023-05&f=csv`, is = groupBy(rows.visit.filter((row) => row.at.startsWith('2023-05')), (row) => row[units]);
            const told = csv((await as.analyst(target)).text()), all = csv((await as.admin(target)).text());
            assert.ok(told.length > 10 && told.length === all.length, `${units} ${told.length}`);
            if (units.startsWith('hex')) {
                // Nobody's cell has more than the three that made them could.
                assert.ok(told.filter((line) => Number(line.exposure) > 0).length < all.filter((line) => Number(line.exposure) > 0).length, units);
                continue;
            }
            const known = told.filter((line) => Number(line.exposure) > 0);
            for (const line of known) assert.ok(persons(is[line.id]) >= LEAST, `${units} ${line.id}: visits of ${persons(is[line.id])}`);
            assert.ok(units !== 'town' || known.length);
        }
        assert.equal((await as.analyst("/hotspots/hazard?units=village&per=visit&filter=severity>=3")).status, 400);
        assert.equal((await as.admin("/hotspots/hazard?units=village&per=visit&filter=severity>=3")).status, 200);
        assert.equal((await as.analyst("/hotspots/hazard?units=village&filter=severity>=3")).status, 200);
    });
    await t.test('columns', async () => {
        const how = await groupsOf('analyst', '/stats/round?by=how'), stops = await groupsOf('analyst', "/stats/round?by=stops&filter=how='ride'");
        assert.deepEqual([how.ride.count, how.ride.hidden], [null, true], 'eighty of two');
        for (const [id, g] of Object.entries(stops)) assert.equal(g.count, null, id);
        const walked = await groupsOf('analyst', "/stats/round?by=stops&filter=how='walk'");
        assert.equal(Object.values(walked).reduce((sum, g) => sum + g.count, 0), 4 * MANY, JSON.stringify(walked));
        assert.equal((await groupsOf('admin', '/stats/round?by=how')).ride.count, 80);
    });
});
