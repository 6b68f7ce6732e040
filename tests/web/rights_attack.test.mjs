// rights_attack.test.mjs - what whoever only counts persons gets, attacked.
//
// Plan
//   tiles: of all layers with hidden columns, by each address of vector tiles,
//   whichever rows are chosen: no name, sum or category of a hidden column, for
//   each role; who sees the column gets sums that are those of the rows
//   groups: no question groups by a column whose values are persons, whatever it
//   is called and however they are written down
//   pictures: where rows are drawn by a hidden column they are drawn alike
//   maps: of rates whose exposure is hidden each place has one step of the legend
//   for all time and each month, however many cases, moments and weights are asked
//   for, by each address; who sees the exposure is answered
//   sums: persons who are in several layers are added up of one, and nowhere told
//   where that one does not; no sum tells that each is nothing; what few workers
//   did is not told
//   words: a layer that is not seen is answered as one that is not there, byte
//   for byte
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { done } from './onemap.mjs';
import { askAs, bearer, csv, features, groupBy, layersOf, makeSynthetic, rowsOf, tile, token } from './roles.mjs';
import { serve } from './server.mjs';

const ZOOMS = [0, 10, 13];
const f = encodeURIComponent;

/** All addresses of the vector tile. */
const forms = (layer, z, x, y) => [`/tiles/${layer}/${z}/${x}/${y}.mvt`, `/tiles/${layer}/${z}/${x}/${y}.pbf`,
    `/collections/${layer}/tiles/WebMercatorQuad/${z}/${y}/${x}`, `/collections/${layer}/tiles/WebMercatorQuad/${z}/${y}/${x}?f=mvt`];
const chosen = (target, query) => target + (query ? (target.includes('?') ? '&' : '?') + query : '');
/** A position of the row: its point, or a corner. */
function placeOf(row) {
    return row.lon ? [row.lon, row.lat].map(Number) : /\(\(?\(?(-?[\d.]+) (-?[\d.]+)/.exec(row.WKT).slice(1).map(Number);
}
function at(row, z) {
    const [lon, lat] = placeOf(row);
    return [Math.floor((lon + 180) / 360 * 2 ** z), Math.floor((1 - Math.asinh(Math.tan(lat * Math.PI / 180)) / Math.PI) / 2 * 2 ** z)];
}

test('what is hidden cannot be asked for otherwise', async (t) => {
    const { city } = await makeSynthetic(t, 0.01);
    const layers = await layersOf(city), hides = layers.filter((l) => l.personal_columns?.length);
    const rows = {};
    for (const { name } of [...hides, { name: 'worker' }]) rows[name] = await rowsOf(city, name);
    const file = path.join(city, 'roles.json'), roles = JSON.parse(await readFile(file, 'utf8'));
    const counts = { layers: ['*'], personal: 'counts', smallest_cell: 'grid', smallest_count: 10, export: true };
    roles.roles.narrow = { ...counts, without: ['rental', 'worker', 'visit', 'address', 'town'] };
    roles.roles.nobody = { ...counts, personal: 'none' };
    roles.roles.plain = { ...counts, columns: { rental: ['model_house'], building: ['id'] } };
    for (const role of Object.values(roles.roles)) role.rate_per_s = 0;
    await writeFile(file, JSON.stringify(roles));
    const who = {}, walls = [];
    for (const role of ['analyst', 'admin', 'narrow', 'nobody', 'plain']) who[role] = await token(city, role);
    // Of rows each token is told so many: whoever attacks has several.
    for (let i = 0; i < 40; i++) walls.push(await token(city, 'wall'));
    const { url } = await serve(t, city);
    const as = Object.fromEntries(Object.entries(who).map(([name, text]) => [name, askAs(url, text)]));
    as.wall = async (...target) => {
        for (;;) {
            const answer = await askAs(url, walls[0])(...target);
            if (answer.status !== 429) return answer;
            assert.ok(/too many rows/.test(answer.text()) && walls.length > 1, `${target}: ${walls.length}`);
            walls.shift();
        }
    };
    const hiddenOf = (role, layer) => {
        const shown = roles.roles[role]?.columns?.[layer.name];
        return layer.columns.map((c) => c.name).filter((c) => c !== 'id' && (layer.personal_columns?.includes(c) || (shown && !shown.includes(c))));
    };

    await t.test('vector tiles', async () => {
        let cells = 0;
        for (const layer of hides) {
            const one = rows[layer.name][0], id = f(`id = '${one.id}'`), others = f(`id <> '${one.id}'`);
            for (const role of ['wall', 'analyst', 'plain', 'nobody', 'narrow']) {
                const hidden = hiddenOf(role, layer);
                for (const z of ZOOMS) {
                    const [x, y] = at(one, z);
                    for (const form of forms(layer.name, z, x, y))
                        for (const query of ['', `filter=${id}`, `filter=${others}`, 'by=town', 'properties=id', `filter=${id}&properties=id`]) {
                            const target = chosen(form, query), answer = await as[role](target);
                            if (answer.status !== 200) {
                                assert.ok([204, 400, 404].includes(answer.status), `${role} ${target}: ${answer.status}`);
                                continue;
                            }
                            for (const [name, properties] of features(answer.body)) {
                                cells += name === 'cells';
                                for (const column of hidden) {
                                    for (const key of Object.keys(properties))
                                        assert.ok(key !== column && key !== `sum:${column}` && !key.startsWith(`${column}:`), `${role} ${target}: ${name} has ${key}`);
                                    if (name === 'meta') assert.notEqual(properties.by, column, `${role} ${target}`);
                                }
                            }
                        }
                    // To ask for it by name is to ask for nothing that is there.
                    for (const form of forms(layer.name, z, x, y))
                        for (const column of hidden)
                            for (const query of ['properties=', 'by=', 'filter=X%20IS%20NULL&properties=']) {
                                const ask = async (name) => {
                                    const answer = await as[role](chosen(form, query.replace('X', name) + name));
                                    return `${answer.status} ${answer.text().replaceAll(name, '?')}`;
                                };
                                const got = await ask(column);
                                assert.match(got, /^40[04] /, `${role} ${form} ${query}${column}`);
                                assert.equal(got, await ask('nothing_of_it'));
                            }
                }
            }
        }
        assert.ok(cells > 1000, `${cells}`);
        // Who sees the column has its sums, and they are right.
        const full = Object.entries(groupBy(rows.address, (row) => at(row, 10).join('/'))).sort((a, b) => b[1].length - a[1].length);
        const [[place, inside]] = full;
        let sum = 0, some = 0;
        for (const [name, p] of features((await as.admin(`/tiles/address/10/${place}.mvt?properties=residents`)).body)) {
            some += 'sum:residents' in p;
            sum += name === 'cells' ? p['sum:residents'] : name === 'address' ? p.residents ?? 0 : 0;
        }
        assert.ok(some > 10);
        assert.equal(sum, inside.reduce((n, row) => n + Number(row.residents), 0));
    });

    await t.test('nothing is grouped by persons', async () => {
        const workers = new Set(rows.worker.map((row) => row.id));
        assert.ok(rows.hazard.some((row) => workers.has(row.worker)));
        for (const role of ['wall', 'analyst', 'plain', 'narrow', 'nobody']) {
            const refused = (await as[role]('/stats/check?by=worker')).status;
            assert.equal(refused, 404);
            for (const more of ['', '&bbox=113,22,115,24', `&filter=${f('severity >= 3')}`, `&share=${f('severity >= 3')}`, '&sum=severity', '&per=house', '&datetime=2023-01-01/..']) {
                const target = `/stats/hazard?by=worker${more}`, answer = await as[role](target);
                assert.ok([400, 404].includes(answer.status) && (role === 'nobody' || answer.status === 404), `${role} ${target}: ${answer.status}`);
            }
            for (const target of ['/stats/hazard?by=worker', '/hotspots/hazard?units=worker', '/hotspots/hazard?by=worker', '/coverage/patrol?by=worker', '/coverage/patrol?layer=hazard&by=worker',
                '/coverage/workload?by=worker', '/coverage/workload?by=worker&f=csv', '/coverage/workload?rows=true', '/tiles/hazard/10/835/444.mvt?by=worker', '/tiles/hazard/10/835/444.png?by=worker',
                '/legend/hazard.json?by=worker', '/collections/hazard/items?sortby=worker', `/stats/hazard?by=town&share=${f("worker = 'G00001'")}`, `/hotspots/hazard?filter=${f("worker = 'G00001'")}`]) {
                const answer = await as[role](target);
                if (answer.status === 200) for (const id of workers) assert.ok(!answer.text().includes(`"${id}"`), `${role} ${target}`);
            }
            // Kinds and numbers are counted as ever.
            if (role === 'wall' || role === 'analyst')
                for (const by of ['level', 'level_since', 'residents']) assert.equal((await as[role](`/stats/rental?by=${by}`)).status, 200, by);
        }
        assert.ok((await as.admin('/stats/hazard?by=worker')).json().groups.some((g) => workers.has(g.id)));
    });

    await t.test('pictures are drawn alike', async () => {
        const matrix = '/collections/rental/map/tiles/WebMercatorQuad/10/444/835';
        for (const role of ['wall', 'analyst', 'plain', 'nobody']) {
            for (const target of ['/tiles/rental/10/835/444.png', '/map.png?layers=rental', '/map.png?layers=town,rental&bbox=113.7,22.9,113.9,23.1', '/legend/rental.png', matrix, '/wmts/1.0.0/rental/default/EPSG:3857/10/444/835.png']) {
                const answer = await as[role](target);
                if (target.startsWith('/wmts') && answer.status === 404) continue;
                assert.equal(answer.status, 200, `${role} ${target}: ${answer.text().slice(0, 200)}`);
                assert.equal(answer.headers['content-type'], 'image/png');
            }
            assert.equal((await as[role]('/legend/rental.json')).json().items.length, 1, role);
            assert.ok(!/"level"|sum:|residents/.test((await as[role]('/styles/rental.json')).text()), role);
            assert.ok(!(await as[role]('/tiles/rental/10/835/444.png')).body.equals((await as.admin('/tiles/rental/10/835/444.png')).body));
        }
    });

    await t.test('a rate of what is hidden is told by one step', async () => {
        const departments = Object.keys(groupBy(rows.hazard, (row) => row.department)), dense = Object.values(groupBy(rows.address, (row) => at(row, 14).join())).sort((a, b) => b.length - a.length)[0];
        const place = `lon=${dense[0].lon}&lat=${dense[0].lat}`, [x, y] = at(dense[0], 10), months = ['2023-03', '2023-04', '2023-05'];
        const cases = [...departments.flatMap((name) => ['=', '<>'].map((sign) => `filter=${f(`department ${sign} '${name}'`)}`)), ...[2, 3, 4].map((n) => `filter=${f(`severity >= ${n}`)}`)];
        const choices = [...cases, ...[2, 5, 9].map((n) => `at=${f(`2023-06-0${n}T00:00:00+08:00`)}`), 'halflife=3', 'halflife=90', 'weight=severity', 'bandwidth=3000', 'kernel=gaussian',
            'datetime=2023-05-01', 'datetime=2023-05-01/2023-05-30', 'datetime=2023-04/2023-05', 'datetime=2023-05-01/..', 'datetime=2023-05-01T00:00:01%2B08:00/2023-06-01T00:00:00%2B08:00'];
        // The same for who sees residents: as many values as are asked for.
        const values = new Set();
        for (const choice of cases) values.add((await as.admin(`/value?name=heat:hazard&${place}&per=resident&${choice}`)).json().value);
        assert.ok(values.size > 6, `${cases.length} ${values.size}`);
        for (const role of ['wall', 'analyst', 'plain'])
            for (const per of ['resident', 'visit']) {
                const plain = (await as[role](`/value?name=heat:hazard&${place}&per=${per}`)).json();
                assert.ok(plain.hidden && plain.numerator === null && plain.exposure.value === null, `${role} ${per}`);
                for (const choice of [...(role === 'analyst' ? choices : choices.slice(-15)), ...(per === 'visit' ? months.map((m) => `datetime=${m}`) : [])]) {
                    for (const target of [`/value?name=heat:hazard&${place}&per=${per}&${choice}`, `/value?name=heat:hazard&z=8&${place}&per=${per}&${choice}`, `/legend/heat:hazard.json?per=${per}&${choice}`,
                        `/tiles/heat:hazard/10/${x}/${y}.png?per=${per}&${choice}`, `/map.png?layers=heat:hazard&per=${per}&${choice}`, ...(role === 'analyst' ? [`/density/hazard.tif?per=${per}&${choice}`] : [])]) {
                        const answer = await as[role](target);
                        assert.equal(answer.status, 400, `${role} ${target}`);
                        assert.equal(answer.json().parameter, /^\w+/.exec(choice)[0], `${role} ${target}: ${answer.text()}`);
                        assert.match(answer.json().detail, /the map weighs what is about single persons/);
                    }
                }
                for (const month of per === 'resident' ? months : []) {
                    const told = (await as[role](`/value?name=heat:hazard&${place}&per=${per}&datetime=${month}`)).json();
                    assert.ok(told.hidden && told.numerator === null && told.known, `${role} ${month}`);
                }
            }
        // What nothing hidden is weighed in is chosen as ever.
        for (const choice of [cases[0], 'halflife=3', 'datetime=2023-04/2023-05']) assert.equal((await as.analyst(`/value?name=heat:hazard&${place}&per=address&${choice}`)).status, 200, choice);
    });

    await t.test('a layer that is not seen is not there', async () => {
        const TARGETS = ['/collections/X', '/collections/X/items', '/collections/X/items/A1', '/collections/X/items.csv', '/collections/X/items.gpkg', "/collections/X/items?filter=level%3D'a'", '/collections/X/queryables',
            '/collections/X/tiles', '/collections/X/tiles/WebMercatorQuad', '/collections/X/tiles/WebMercatorQuad/10/444/835', '/collections/X/map/tiles', '/collections/X/map/tiles/WebMercatorQuad/10/444/835',
            '/tiles/X/10/835/444.mvt', '/tiles/X/10/835/444.pbf', '/tiles/X/10/835/444.png', '/tiles/X/10/835/444.mvt?by=level', '/tiles/X.json', '/tiles/X/99/835/444.mvt', '/tiles/heat:X/10/835/444.png',
            '/tiles/heat:X/10/835/444.png?weight=residents', '/tiles/choropleth:village/10/835/444.png?layer=X', '/tiles/choropleth:X/10/835/444.png', '/tiles/choropleth:village/10/835/444.png?layer=road&per=X',
            '/styles/X.json', '/legend/X.json', '/legend/X.png', '/legend/heat:X.png', '/stats/X', '/stats/X?by=town', '/stats/X?by=level', '/stats/X?nosuch=1', '/stats/hazard?by=village&per=X',
            '/nearest/X?lon=113.75&lat=23.02', '/hotspots/X', '/hotspots/X?units=grid', '/hotspots/hazard?units=X', '/hotspots/hazard?stat=rate&exposure=X', '/hotspots/hazard?units=village&stat=rate&per=X',
            '/map.png?layers=X', '/map.png?layers=heat:X', '/map.png?layers=village,X', '/value?name=heat:X&lon=113.75&lat=23.02', '/coverage/patrol?by=X', '/coverage/partition?by=X', '/search?q=a&layers=X',
            '/positions?by=X', '/changes?since=0&layers=X', '/wmts/1.0.0/X/default/3857/10/444/835.png', '/wmts/1.0.0/heat:X/default/3857/10/444/835.png'];
        const feature = JSON.stringify({ type: 'Feature', id: 'A1', geometry: null, properties: {} });
        const own = (headers) => Object.entries(headers).filter(([name]) => !['date', 'content-length'].includes(name) && !/^x-request/.test(name)).sort().map(String);
        for (const [role, unseen] of [['narrow', roles.roles.narrow.without], ['nobody', ['worker', 'visit', 'check']]])
            for (const layer of unseen) {
                const same = async (target, method, body) => {
                    const ask = async (name) => {
                        const answer = await fetch(url + target.replace('X', name), { method, body, headers: { ...bearer(who[role]), ...(body ? { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/geo+json' } : {}) } });
                        return { status: answer.status, text: (await answer.text()).replaceAll(`'${name}'`, "'?'").replaceAll(`"${name}"`, '"?"').replaceAll(`:${name}`, ':?'), headers: own(Object.fromEntries(answer.headers)) };
                    };
                    assert.deepEqual(await ask(layer), await ask('none_such'), `${role} ${method} ${target} ${layer}`);
                };
                for (const target of TARGETS) await same(target, 'GET');
                for (const method of ['HEAD', 'OPTIONS', 'DELETE']) await same('/collections/X/items/A1', method);
                for (const [method, target] of [['POST', '/collections/X/items'], ['PUT', '/collections/X/items/A1'], ['PATCH', '/collections/X/items/A1']]) await same(target, method, feature);
            }
    });
});

test('sums do not undo each other', async (t) => {
    const { dir, city } = await makeSynthetic(t, 0.01), source = path.join(dir, 'note.csv');
    // Notes of three grids of one village: of the first all are nothing.
    const grids = Object.entries(groupBy((await rowsOf(city, 'address')).filter((row) => row.grid), (row) => row.village)).map(([, list]) => Object.values(groupBy(list, (row) => row.grid)).filter((l) => l.length >= 20)).find((l) => l.length > 2).slice(0, 3);
    const lines = grids.flatMap((list, g) => list.slice(0, 20).map((row, i) => `N${g}-${i},${row.lon},${row.lat},${g * (i + 1)}`));
    await writeFile(source, `id,lon,lat,score\n${lines.join('\n')}\n`);
    await done('import', city, 'note', source, '--id', 'id', '--x', 'lon', '--y', 'lat', '--quiet');
    const file = path.join(city, 'city.json'), manifest = JSON.parse(await readFile(file, 'utf8'));
    manifest.layers.find((l) => l.name === 'note').personal_columns = ['score'];
    await writeFile(file, JSON.stringify(manifest));
    const who = { wall: await token(city, 'wall'), analyst: await token(city, 'analyst'), admin: await token(city, 'admin') };
    const { url } = await serve(t, city), admin = askAs(url, who.admin);
    const LEAST = 10, workers = await rowsOf(city, 'worker');
    for (const role of ['wall', 'analyst']) {
        const ask = askAs(url, who[role]), groups = async (target) => Object.fromEntries((await ask(target)).json().groups.map((g) => [g.id, g]));
        for (const by of ['grid', 'village', 'town']) {
            for (const layer of ['building', 'rental', 'premises']) {
                const asked = async (name) => { const a = await ask(`/stats/${layer}?by=${by}&sum=${name}`); return `${a.status} ${a.text().replaceAll(name, '?')}`; };
                assert.match(await asked('residents'), /^400 /);
                assert.equal(await asked('residents'), await asked('nothing_of_it'), `${role} ${layer}`);
                assert.equal((await admin(`/stats/${layer}?by=${by}&sum=residents`)).status, 200);
            }
            const told = await groups(`/stats/address?by=${by}&sum=residents`);
            assert.ok(Object.values(told).some((g) => !g.hidden));
            const work = csv((await ask(`/coverage/workload?by=${by}&month=2023-03&f=csv`)).text());
            const open = csv((await admin(`/coverage/workload?by=${by}&month=2023-03&f=csv`)).text());
            let known = 0, zeros = 0;
            for (const [i, row] of work.entries()) {
                assert.equal(row.id, open[i].id);
                assert.equal(row.residents === '', !told[row.id] || !!told[row.id].hidden, `${role} ${by} ${row.id}: residents`);
                const n = workers.filter((w) => w[by] === row.id).length;
                known += Number(open[i].checks) > 0;
                if (n < LEAST) assert.equal(row.checks, '', `${role} ${row.id}: checks of ${n}`);
                else if (row.checks !== '') assert.equal(Number(row.checks) % LEAST, 0);
                if (Number(open[i].rental) + Number(open[i].premises))
                    for (const column of Object.keys(row).filter((c) => /^rental_|^(owed|due|done)$/.test(c))) {
                        zeros += open[i][column] === '0';
                        assert.notEqual(row[column], '0', `${role} ${row.id} ${column}`);
                    }
            }
            assert.ok(known && (zeros || by !== 'grid'), `${known} ${zeros}`);
        }
        assert.match((await ask('/stats/building?sum=residents')).text(), /no column of that name/);
        // Each of the first grid's notes would be known; and by subtraction, so would they all be.
        const notes = await groups('/stats/note?by=grid&sum=score'), ids = grids.map((l) => l[0].grid);
        assert.equal(notes[ids[0]].sum, null);
        assert.deepEqual(ids.map((id) => notes[id].sum === null).sort(), [false, true, true]);
    }
    assert.equal((await admin('/stats/note?by=grid&sum=score')).json().groups.find((g) => g.id === grids[0][0].grid).sum, 0);
    // A layer of persons that is not asked for rightly is none.
    const analyst = askAs(url, who.analyst);
    for (const target of ['/collections/X/items', '/collections/X/items/A1', '/collections/X/items.csv', '/nearest/X?lon=113.75&lat=23.02', '/stats/X?by=town&bbox=113,22,115,24']) {
        const [a, b] = [await analyst(target.replace('X', 'visit')), await analyst(target.replace('X', 'none_such'))];
        assert.equal(`${a.status} ${a.text().replaceAll('visit', '?')}`, `${b.status} ${b.text().replaceAll('none_such', '?')}`, target);
    }
});

test('whose it is cannot be counted by, however it is written down', async (t) => {
    const { dir, city } = await makeSynthetic(t, 0.001), source = path.join(dir, 'note.csv');
    // Forty officers with thirty notes each: no group is small.
    const lines = Array.from({ length: 1200 }, (_, i) => [`N${i}`, 113.7 + (i % 37) / 500, 22.95 + (i % 41) / 500, 700000 + i % 40, `1970-01-${String(1 + i % 30).padStart(2, '0')}T0${i % 10}:00:00+08:00`, `张${i % 40}`, (i % 40) + 0.5, i % 3, i % 2 === 1].join(','));
    await writeFile(source, `id,lon,lat,badge,born,called,score,grade,again\n${lines.join('\n')}\n`);
    await done('import', city, 'note', source, '--id', 'id', '--x', 'lon', '--y', 'lat', '--quiet');
    const file = path.join(city, 'city.json'), manifest = JSON.parse(await readFile(file, 'utf8')), note = manifest.layers.find((l) => l.name === 'note');
    const type = Object.fromEntries(note.columns.map((c) => [c.name, c.type]));
    assert.deepEqual([type.badge, type.born, type.score, type.grade, type.again], ['integer', 'time', 'real', 'integer', 'boolean']);
    note.personal_columns = ['badge', 'born', 'called', 'score', 'grade', 'again'];
    note.kinds = ['grade', 'again'];
    await writeFile(file, JSON.stringify(manifest));
    const who = { wall: await token(city, 'wall'), analyst: await token(city, 'analyst'), admin: await token(city, 'admin') };
    const { url } = await serve(t, city);
    for (const role of ['wall', 'analyst']) {
        const ask = askAs(url, who[role]);
        for (const column of ['badge', 'born', 'called', 'score'])
            for (const more of ['', '&sum=grade', '&sum=badge', `&filter=${f('id IS NOT NULL')}`, '&bbox=113,22,115,24'])
                assert.equal((await ask(`/stats/note?by=${column}${more}`)).status, 404, `${role} ${column}${more}`);
        for (const [column, groups] of [['grade', 3], ['again', 2]]) {
            const told = (await ask(`/stats/note?by=${column}`)).json();
            assert.deepEqual(told.groups, (await askAs(url, who.admin)(`/stats/note?by=${column}`)).json().groups);
            assert.equal(told.groups.length, groups);
        }
    }
    assert.equal((await askAs(url, who.admin)('/stats/note?by=badge')).json().groups.length, 40);
});
