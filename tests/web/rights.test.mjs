// What roles see: every address with every role, against the rows themselves.
//
// Plan
//   oracle: rows of all layers by the command line, which has no roles, and the
//   rule written again here
//   lists: layers and columns of every document are those of the role
//   counts: items, stats by everything, tiles, nearest, files, search, /changes
//   say what the rule leaves, to the row
//   persons: small counts are hidden, and no sum, level, zoom, filter, order or
//   distance gives them away
//   between roles: nothing kept for one is answered to another
//   audit: who asked for rows is noted, and a changed line is found
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { MERGE } from './ask.mjs';
import { onemap } from './onemap.mjs';
import { askAs, csv, groupBy, known, layersOf, makeSynthetic, rowsOf, tile, token } from './roles.mjs';
import { tileX, tileY } from './sample.mjs';
import { serve } from './server.mjs';

const LEAST = 10;
/** Layers that rows are compared of: some of each kind, none too large. */
const LAYERS = ['town', 'village', 'grid', 'rental', 'premises', 'hazard', 'visit', 'worker', 'check', 'tip', 'service_centre', 'road'];

test('every address with every role', async (t) => {
    const { city } = await makeSynthetic(t, 0.01);
    const about = Object.fromEntries((await layersOf(city)).map((l) => [l.name, l]));
    const rows = {};
    for (const layer of LAYERS) rows[layer] = await rowsOf(city, layer);
    const towns = Object.entries(rows.hazard.reduce((n, r) => ({ ...n, [r.town]: (n[r.town] ?? 0) + 1 }), {})).sort((a, b) => b[1] - a[1]);
    const town = towns[0][0], other = towns[1][0], village = rows.hazard.find((r) => r.town === town && r.village).village;
    const file = path.join(city, 'roles.json'), roles = JSON.parse(await readFile(file, 'utf8'));
    roles.roles.some = { layers: ['*'], personal: 'counts', smallest_cell: 'grid', smallest_count: 2, export: true };
    await writeFile(file, JSON.stringify(roles));
    const some = await token(city, 'some');
    const who = {
        wall: await token(city, 'wall'), analyst: await token(city, 'analyst'), admin: await token(city, 'admin'),
        officer: await token(city, 'officer', '--area', `town:${town}`), neighbour: await token(city, 'officer', '--area', `town:${other}`),
        of_village: await token(city, 'officer', '--area', `village:${village}`), ingest: await token(city, 'ingest')
    };
    const server = await serve(t, city), { url } = server;
    const as = Object.fromEntries(Object.entries(who).map(([name, text]) => [name, askAs(url, text)]));
    as.some = askAs(url, some);

    // ---- the rule, written again
    const AREA = { officer: ['town', town], neighbour: ['town', other], of_village: ['village', village] };
    const inside = (role, layer, row) => {
        if (!AREA[role]) return true;
        const [level, unit] = AREA[role];
        if (about[layer].unit_level === level) return row.id === unit;
        // Of the levels above there is the one unit that the area lies in.
        if (level === 'village' && about[layer].unit_level === 'town') return row.id === rows.village.find((v) => v.id === unit).town;
        return !(level in row) || row[level] === unit;
    };
    const seesRows = (role, layer) => role !== 'ingest' && (!about[layer].personal || role === 'admin' || role in AREA);
    const personal = (role) => role === 'wall' || role === 'analyst';
    const columnsOf = (role, layer) => about[layer].columns.map((c) => c.name)
        .filter((c) => !personal(role) || !(about[layer].personal_columns ?? []).includes(c));
    const left = (role, layer) => (seesRows(role, layer) ? rows[layer].filter((row) => inside(role, layer, row)) : []);

    for (const role of Object.keys(who)) {
        await t.test(`${role}: lists`, async () => {
            const names = role === 'ingest' ? [] : Object.keys(about).sort();
            assert.deepEqual((await as[role]('/collections')).json().collections.map((c) => c.id).sort(), names);
            assert.deepEqual((await as[role]('/catalog')).json().layers.map((c) => c.name).sort(), names);
            for (const layer of LAYERS) {
                const answer = await as[role](`/collections/${layer}/queryables`);
                assert.equal(answer.status, names.includes(layer) ? 200 : 404);
                if (answer.status !== 200) continue;
                const properties = Object.keys(answer.json().properties);
                for (const c of about[layer].columns)
                    assert.equal(properties.includes(c.name), columnsOf(role, layer).includes(c.name), `${layer}.${c.name}`);
                const described = (await as[role](`/collections/${layer}`)).json().columns.map((c) => c.name);
                const fields = (await as[role](`/tiles/${layer}.json`)).json().vector_layers[0].fields;
                for (const hidden of about[layer].columns.map((c) => c.name).filter((c) => !columnsOf(role, layer).includes(c)))
                    assert.ok(!described.includes(hidden) && !(hidden in fields), `${layer}.${hidden}`);
            }
        });

        await t.test(`${role}: rows`, async () => {
            for (const layer of LAYERS) {
                const want = left(role, layer), sees = seesRows(role, layer), ask = as[role];
                const page = await ask(`/collections/${layer}/items?limit=1000&properties=id`);
                assert.equal(page.status, sees ? 200 : 404, layer);
                const any = rows[layer].find((row) => !inside(role, layer, row)) ?? rows[layer][0];
                const one = await ask(`/collections/${layer}/items/${encodeURIComponent(any.id)}`);
                assert.equal(one.status, sees && inside(role, layer, any) ? 200 : 404, `${layer} ${any.id}`);
                const filtered = await ask(`/collections/${layer}/items?filter=${encodeURIComponent(`id = '${any.id}'`)}`);
                if (sees) assert.equal(filtered.json().numberMatched, inside(role, layer, any) ? 1 : 0);
                else assert.equal(filtered.status, 404);
                if (!sees) continue;
                assert.equal(page.json().numberMatched, want.length, layer);
                const ids = new Set(want.map((row) => row.id));
                for (const f of page.json().features) assert.ok(ids.has(String(f.id)), `${layer} ${f.id}`);
                assert.equal((await ask(`/stats/${layer}`)).json().count, want.length, layer);
                for (const f of (await ask(`/collections/${layer}/items?limit=20`)).json().features)
                    for (const c of Object.keys(f.properties))
                        assert.ok(columnsOf(role, layer).includes(c) || ['grid', 'village', 'town'].includes(c), `${layer}.${c}`);
                if (about[layer].geometry !== 'point') continue;
                const near = (await ask(`/nearest/${layer}?lon=113.75&lat=23.02&k=50`)).json().features;
                // Of those who are followed only who was seen of late.
                if (layer !== 'worker') assert.equal(near.length, Math.min(50, want.length));
                for (const f of near) assert.ok(ids.has(String(f.id)), `nearest ${layer} ${f.id}`);
                const file = await ask(`/collections/${layer}/items.csv`);
                assert.equal(file.status, role === 'wall' ? 404 : 200);
                if (file.status === 200) {
                    const lines = csv(file.text());
                    assert.equal(lines.length, want.length, layer);
                    for (const line of lines) assert.ok(ids.has(line.id));
                }
                // Tiles add up to the rows.
                let total = 0;
                for (const [x, y] of [[832, 443], [832, 444], [833, 443], [833, 444], [834, 443], [834, 444], [835, 443], [835, 444], [836, 443], [836, 444]]) {
                    const { meta, cells, [layer]: points } = tile((await ask(`/tiles/${layer}/10/${x}/${y}.mvt`)).body);
                    if (meta) total += meta.feature(0).properties.total;
                    else total += points?.length ?? 0;
                    for (let i = 0; i < (points?.length ?? 0); i++) assert.ok(ids.has(String(points.feature(i).properties.id)), `tile ${layer}`);
                    assert.ok(!cells || meta);
                }
                assert.ok(total <= want.length, `${layer}: ${total} of ${want.length}`);
            }
        });

        await t.test(`${role}: counts by units`, async () => {
            for (const layer of ['hazard', 'rental', ...(personal(role) ? [] : ['visit'])])
                for (const level of ['town', 'village', 'grid']) {
                    const answer = await as[role](`/stats/${layer}?by=${level}`);
                    if (role === 'ingest') {
                        assert.equal(answer.status, 404);
                        continue;
                    }
                    const want = {};
                    for (const row of left(role, layer)) want[row[level] || 'null'] = (want[row[level] || 'null'] ?? 0) + 1;
                    if (AREA[role] && level !== 'grid')
                        for (const g of answer.json().groups) assert.ok(g.id === null || rows[level].some((u) => u.id === g.id && inside(role, level, u)), `${level} ${g.id}`);
                    for (const g of answer.json().groups) assert.equal(g.count, want[g.id ?? 'null'] ?? 0, `${layer} ${level} ${g.id}`);
                    assert.equal(answer.json().groups.reduce((n, g) => n + g.count, 0), left(role, layer).length);
                }
        });
    }

    await t.test('columns about persons: no filter, order, weight, group or model tells them', async () => {
        for (const role of ['wall', 'analyst']) {
            const ask = as[role], f = encodeURIComponent("level = 'strict'");
            for (const target of [`/collections/rental/items?filter=${f}`, '/collections/rental/items?level=strict', '/collections/rental/items?sortby=level',
                '/collections/rental/items?properties=level', `/stats/rental?filter=${f}`, `/stats/rental?by=town&filter=${f}`, `/tiles/rental/10/834/444.mvt?filter=${f}`,
                '/tiles/rental/10/834/444.mvt?properties=level', '/tiles/rental/10/834/444.mvt?by=level', '/tiles/rental/10/834/444.png?by=level',
                `/tiles/heat:rental/10/834/444.png?filter=${f}`, '/tiles/heat:address/10/834/444.png?weight=residents', '/value?name=heat:address&lon=113.75&lat=23.02&weight=residents',
                '/nearest/rental?lon=113.75&lat=23.02&properties=level', `/nearest/rental?lon=113.75&lat=23.02&filter=${f}`, `/hotspots/rental?filter=${f}`,
                '/hotspots/rental?weight=residents', '/coverage/patrol?layer=rental', '/coverage/patrol?rows=true', '/coverage/patrol?levels=true',
                '/stats/rental?by=level&filter=id%3D%27R0000001%27', '/stats/rental?by=level&bbox=113.7,23,113.8,23.1', '/stats/address?sum=residents&bbox=113.7,23,113.8,23.1',
                '/stats/address?sum=residents&filter=id%3D%27A1%27', '/stats/address?by=building&sum=residents', '/stats/rental?share=level%3D%27strict%27&by=town',
                '/tiles/choropleth:town/10/834/444.png?layer=address&stat=sum&column=residents', '/tiles/heat:rental_fire/10/834/444.png?bandwidth=50', '/tiles/heat:rental_fire/10/834/444.png?with_datetime=2023-05',
                `/tiles/heat:rental_fire/10/834/444.png?filter=${encodeURIComponent("id = 'R0000001'")}`, '/value?name=heat:rental_fire&lon=113.75&lat=23.02&datetime=2023-06']) {
                const answer = await ask(target);
                assert.ok([400, 404].includes(answer.status), `${role} ${target}: ${answer.status} ${answer.text().slice(0, 200)}`);
                assert.ok((await as.admin(target)).status < 300, `admin ${target}`);
            }
            // Added up they are told, where there are many.
            const sum = (await ask('/stats/address?by=town&sum=residents')).json();
            const full = (await as.admin('/stats/address?by=town&sum=residents')).json();
            for (const g of sum.groups) {
                const same = full.groups.find((o) => o.id === g.id);
                if (g.hidden) assert.deepEqual([g.count, g.sum], [null, null]);
                else assert.deepEqual(g, same);
                if (same.count && same.count < LEAST) assert.equal(g.hidden, true);
            }
            // A map that weighs them is drawn as it ships; its value is a step of the legend.
            assert.equal((await ask('/tiles/heat:rental_fire/10/834/444.png')).status, 200);
            const value = (await ask('/value?name=heat:rental_fire&lon=113.75&lat=23.02')).json();
            assert.equal(value.hidden, true);
            assert.deepEqual(value.rows, []);
            assert.ok(value.numerator === null && value.terms.every((term) => term.value === null && term.count === null));
        }
    });

    await t.test('few persons: not by units, levels of them, nor cells of tiles', async () => {
        const parents = { grid: 'village', village: 'town' }, workers = rows.worker, ask = as.analyst;
        // Whoever subtracts learns of nobody, or of ten and more.
        const rest = (count, members) => count - members.reduce((n, m) => n + (m ?? 0), 0);
        const hidden = (members) => members.filter((m) => m === null).length;
        const check = (count, members, what) => {
            if (!hidden(members)) return;
            const n = rest(count, members);
            assert.ok(n >= LEAST && hidden(members) > 1, `${what}: ${n} in ${hidden(members)}`);
        };
        for (const layer of ['worker', 'visit', 'check']) {
            const told = {};
            for (const level of ['town', 'village', 'grid']) {
                const answer = (await ask(`/stats/${layer}?by=${level}`)).json(), counts = groupBy(rows[layer], (row) => row[level] || 'null');
                told[level] = Object.fromEntries(answer.groups.map((g) => [g.id, g.count]));
                for (const g of answer.groups) {
                    const n = counts[g.id ?? 'null']?.length ?? 0;
                    assert.ok(g.count === n || (g.count === null && g.hidden === true), `${layer} ${level} ${g.id}`);
                    if (n && n < LEAST) assert.equal(g.count, null);
                }
            }
            const total = (await ask(`/stats/${layer}`)).json().count;
            assert.equal(total, rows[layer].length);
            check(total, Object.values(told.town), 'city');
            for (const level of ['village', 'grid'])
                for (const [unit, count] of Object.entries(told[parents[level]])) {
                    const members = rows[level].filter((row) => row[parents[level]] === unit).map((row) => told[level][row.id]);
                    if (count === null) members.forEach((m) => assert.ok(m === null || m === 0, `${layer}: ${level} of hidden ${unit}`));
                    else check(count, members, `${layer}: ${level} of ${unit}`);
                }
        }
        for (const target of ['/stats/worker?by=duty_grid', '/stats/worker?by=town&filter=id%3D%27G00101%27', '/stats/worker?by=town&datetime=2023-06',
            '/stats/worker?bbox=113,22,114,24', '/tiles/worker/10/834/444.mvt?properties=id', '/tiles/worker/10/834/444.png', '/tiles/heat:worker/10/834/444.png',
            '/value?name=heat:worker&lon=113.75&lat=23', '/hotspots/worker', '/nearest/worker?lon=113.75&lat=23', '/map.png?layers=worker&bbox=113.7,23,113.8,23.1',
            '/collections/worker/items?sortby=seen', '/legend/heat:worker.json', '/collections/worker/items.csv'])
            assert.equal((await ask(target)).status, 404, target);
        // Shares of work: tests/web/rights_coverage.test.mjs.
        for (const role of ['wall', 'analyst'])
            assert.doesNotMatch((await as[role]('/coverage/partition?rows=true')).text(), /no_worker/);
        assert.match((await as.admin('/coverage/partition?rows=true')).text(), /no_worker/);
        // Cells of tiles add up from zoom to zoom: nothing is left to subtract.
        const cells = new Map();
        const walk = async (z, x, y) => {
            const { meta, cells: found, worker } = tile((await ask(`/tiles/worker/${z}/${x}/${y}.mvt`)).body);
            assert.equal(worker, undefined);
            let sum = 0;
            for (let i = 0; i < (found?.length ?? 0); i++) {
                const { count } = found.feature(i).properties;
                assert.ok(count >= LEAST);
                sum += count;
            }
            if (z > 13) assert.equal(sum, 0);
            if (sum) assert.equal(meta.feature(0).properties.total, sum);
            cells.set(`${z}/${x}/${y}`, sum);
            if (z > 13 || !sum) return sum;
            let below = 0;
            for (const [dx, dy] of [[0, 0], [1, 0], [0, 1], [1, 1]]) below += await walk(z + 1, 2 * x + dx, 2 * y + dy);
            assert.equal(below, z < 13 ? sum : 0);
            return sum;
        };
        // What is told is what lies in cells of ten and more of the one level.
        const of = {};
        for (const row of workers) {
            const k = `${tileX(Number(row.lon), 13)}/${tileY(Number(row.lat), 13)}`;
            of[k] = (of[k] ?? 0) + 1;
        }
        let all = 0;
        for (const x of [208, 209]) for (const y of [110, 111]) all += await walk(8, x, y);
        assert.equal(all, Object.values(of).filter((n) => n >= LEAST).reduce((a, b) => a + b, 0));
    });

    await t.test('single visits and checks are for those in charge alone', async () => {
        const one = rows.visit[0], f = (text) => encodeURIComponent(text);
        for (const role of ['wall', 'analyst'])
            for (const target of ['/collections/visit/items', '/collections/check/items?limit=1', `/collections/visit/items/${one.id}`, '/collections/visit/items.csv', '/stats/visit?by=worker', '/stats/check?by=worker',
                '/stats/check?by=worker&sum=count', '/stats/visit?by=target_id', '/stats/visit?by=day', '/stats/visit?by=month', '/stats/visit?by=target_layer', `/stats/visit?filter=${f(`target_id = '${one.target_id}'`)}`,
                `/stats/visit?by=grid&filter=${f("target_layer = 'rental'")}`, '/stats/visit?by=grid&datetime=2023-06-01', '/stats/visit?bbox=113.7,23,113.8,23.1', '/stats/visit?sum=found',
                '/nearest/visit?lon=113.75&lat=23', '/tiles/visit/14/13370/7110.mvt?properties=target_id', '/tiles/visit/10/834/444.png', '/tiles/heat:visit/10/834/444.png', '/value?name=heat:visit&lon=113.75&lat=23',
                '/hotspots/visit', '/map.png?layers=visit&bbox=113.7,23,113.8,23.1', '/stats/check?by=count', '/stats/check?by=grid&sum=count', '/stats/check?by=month&sum=count&bbox=113.7,23,113.8,23.1',
                `/stats/check?by=month&filter=${f("month = '2023-05'")}`, `/stats/check?filter=${f("month = '2023-05' AND count > 3")}`, `/stats/check?filter=${f("month <> '2023-05'")}`, `/stats/check?filter=${f("worker = 'G00001'")}`,
                `/stats/check?share=${f('count >= 51')}`, `/stats/check?by=month&share=${f('count >= 49')}`, `/stats/check?by=grid&share=${f('count >= 50')}`, '/hotspots/hazard?per=visit&units=hex:130', '/stats/hazard?by=town&per=visit&bbox=113.7,23,113.8,23.1',
                '/stats/hazard?by=department&per=visit', '/hotspots/hazard?per=visit&stat=emerging', '/hotspots/hazard?exposure=visit:found', '/tiles/heat:hazard/10/834/444.png?per=visit&datetime=2023-06-01'])
                assert.ok([400, 404].includes((await as[role](target)).status), `${role} ${target}`);
        // Months and how much in each: as it is, or not told.
        for (const role of ['wall', 'analyst']) {
            const told = (await as[role]('/stats/check?by=month&sum=count')).json(), full = (await as.admin('/stats/check?by=month&sum=count')).json();
            assert.deepEqual(told.groups.map((g) => g.id), full.groups.map((g) => g.id));
            told.groups.forEach((g, i) => assert.deepEqual(g.hidden ? { id: g.id, count: null, sum: null, hidden: true } : full.groups[i], g));
            assert.ok(told.groups.some((g) => g.count > 0));
            const month = f(`month = '${told.groups[1].id}'`);
            const part = (await as[role](`/stats/check?filter=${month}&share=${f('count >= 50')}`)).json(), whole = (await as.admin(`/stats/check?filter=${month}&share=${f('count >= 50')}`)).json();
            if (part.hidden) assert.ok(whole.share_count < LEAST || whole.count - whole.share_count < LEAST);
            else assert.deepEqual(part, whole);
            // By number of checks: what is hidden cannot be solved from both sums.
            const spread = (await as[role](`/stats/check?filter=${month}&by=count`)).json().groups, truth = (await as.admin(`/stats/check?filter=${month}&by=count`)).json().groups;
            for (const [i, g] of spread.entries()) {
                assert.ok(g.hidden ? g.count === null : g.count === truth[i].count);
                if (truth[i].count < LEAST) assert.ok(g.hidden);
            }
            for (const upper of [false, true]) {
                const side = spread.filter((g) => (Number(g.id) >= 50) === upper), n = side.filter((g) => g.hidden).length;
                assert.ok(n === 0 || n >= 3 || n === side.length, `${n} of ${side.length}`);
            }
        }
    });

    await t.test('kinds with a number: counts and their sum together tell of nobody', async () => {
        for (const [layer, column] of [['address', 'residents'], ['rental', 'residents'], ['building', 'residents']]) {
            const told = (await as.analyst(`/stats/${layer}?by=${column}`)).json(), full = (await as.admin(`/stats/${layer}?by=${column}`)).json();
            // Only one of them is added up.
            const total = (await as.analyst(`/stats/${layer}?sum=${column}`)).json();
            if (layer !== 'address') assert.match(JSON.stringify(total), /no column of that name/);
            const hidden = told.groups.map((g, i) => ({ ...g, value: Number(g.id), n: full.groups[i].count })).filter((g) => g.count === null);
            for (const [i, g] of told.groups.entries()) if (full.groups[i].count < LEAST) assert.equal(g.count, null);
            assert.ok((total.sum > 0 || layer !== 'address') && hidden.length !== 1 && hidden.length !== 2, `${layer}: ${hidden.length}`);
            // Another set of counts fits both sums, for each that is hidden.
            for (const a of hidden)
                assert.ok(hidden.some((b) => b !== a && hidden.some((c) => {
                    if (c === a || c === b) return false;
                    const step = [b.value - c.value, c.value - a.value, a.value - b.value], gcd = (x, y) => (y ? gcd(y, x % y) : Math.abs(x)), g = gcd(gcd(step[0], step[1]), step[2]);
                    return [1, -1].some((sign) => [a, b, c].every((m, k) => {
                        const n = m.n + sign * step[k] / g;
                        return n >= 1 && (n < LEAST) === (m.n < LEAST);
                    }));
                })), `${layer}: ${a.value}`);
        }
        // A sum that few rows make is none, though the others are many.
        const made = (await as.admin('/stats/address?by=village&sum=residents')).json().groups;
        for (const g of (await as.analyst('/stats/address?by=village&sum=residents')).json().groups)
            if (g.sum !== null) assert.ok(g.sum === made.find((m) => m.id === g.id).sum);
    });

    await t.test('what is compared with is told by whole months, to the ten', async () => {
        const moment = (text) => Date.parse(text), day = 864e5, clock = moment('2023-06-27T00:00:00+08:00');
        const counts = (level, from, to) => groupBy(rows.visit.filter((row) => moment(row.at) >= from && moment(row.at) < to), (row) => row[level] || 'null');
        const rounded = (n) => (n < LEAST ? 0 : Math.round(n / LEAST) * LEAST);
        for (const [datetime, from, to, part] of [['2023-05', moment('2023-05-01T00:00:00+08:00'), moment('2023-06-01T00:00:00+08:00'), 1], ['2023-06', moment('2023-06-01T00:00:00+08:00'), clock, 1],
            ['2023-05-03/2023-05-04', moment('2023-05-01T00:00:00+08:00'), moment('2023-06-01T00:00:00+08:00'), 2 / 31], ['2023-05-31/2023-06-01', moment('2023-05-01T00:00:00+08:00'), clock, 2 * day / (clock - moment('2023-05-01T00:00:00+08:00'))]])
            for (const level of ['town', 'village']) {
                const want = counts(level, from, to);
                for (const g of (await as.analyst(`/stats/hazard?by=${level}&per=visit&datetime=${datetime}`)).json().groups) {
                    // What few did is not told (rights_doers.test.mjs has what many did).
                    const visits = want[g.id ?? 'null'] ?? [], doers = new Set(visits.map((row) => row.worker)).size;
                    if (doers && doers < LEAST) assert.deepEqual([g.exposure, g.exposure_hidden], [null, true], `${level} ${g.id} ${datetime}`);
                    else if (!g.exposure_hidden) assert.ok(Math.abs(g.exposure - rounded(visits.length) * part) < 1e-6, `${level} ${g.id} ${datetime}: ${g.exposure}`);
                }
            }
        // So windows that differ by an hour differ by the hour's part, and by nothing else.
        const at = async (to) => Object.fromEntries((await as.wall(`/stats/hazard?by=town&per=visit&datetime=2023-05-02T00:00:00Z/${to}`)).json().groups.map((g) => [g.id, g.exposure]));
        const short = await at('2023-05-12T00:00:00Z'), long = await at('2023-05-12T01:00:00Z');
        for (const id of Object.keys(short)) assert.ok(Math.abs(long[id] - short[id] * 241 / 240) < 1e-6, id);
        for (const units of ['village', 'hex:2000']) {
            const { areas, rows: found, features } = (await as.analyst(`/hotspots/hazard?per=visit&units=${units}&datetime=2023-05&limit=100000`)).json();
            for (const row of found ?? areas ?? features) assert.ok(row.exposure === null || row.exposure === undefined || row.exposure % LEAST === 0, JSON.stringify(row));
        }
        // Sentences (to a role that is told of fewer who did it) say which months the visits are of, where a period has its part of them only.
        const words = async (role, datetime) => (await as[role](`/hotspots/hazard?per=visit&units=town&datetime=${datetime}&f=geojson&limit=1000`)).json().features
            .map(({ properties: p }) => [p.text, p.text_en]).filter(([text]) => /倍/.test(text));
        for (const [role, datetime, zh, en] of [['some', '2023-05-30/2023-06-26', '按5–6月巡查折算', 'by visits of May to Jun, in proportion'], ['some', '2023-05-02/2023-05-20', '按5月巡查折算', 'by visits of May, in proportion'],
            ['some', '2023-05', '按巡查计', 'by visits'], ['admin', '2023-05-30/2023-06-26', '按巡查计', 'by visits']]) {
            const said = await words(role, datetime);
            assert.ok(said.length > 3, `${role} ${datetime}: ${said.length}`);
            for (const [text, text_en] of said) assert.ok(text.includes(`(${zh})`) && text_en.includes(`(${en})`), `${role} ${datetime}: ${text} ${text_en}`);
        }
        assert.equal((await as.analyst('/tiles/heat:hazard/10/834/444.png?per=visit')).status, 200);
        assert.equal((await as.wall('/tiles/choropleth:town/10/834/444.png?layer=hazard&per=visit')).status, 200);
    });

    await t.test('an officer sees all of the own town and nothing of others', async () => {
        const mine = rows.rental.find((row) => row.town === town), theirs = rows.rental.find((row) => row.town === other);
        const got = (await as.officer(`/collections/rental/items/${mine.id}`)).json();
        assert.equal(got.properties.level, mine.level);
        for (const [row, role] of [[theirs, 'officer'], [mine, 'neighbour']]) {
            const none = await as[role](`/collections/rental/items/${row.id}`), never = await as[role]('/collections/rental/items/R-none');
            assert.deepEqual([none.status, none.text()], [never.status, never.text()]);
            const f = encodeURIComponent(`id = '${row.id}'`);
            assert.equal((await as[role](`/stats/rental?filter=${f}`)).json().count, 0);
            assert.equal((await as[role](`/search?q=${row.id}`)).json().results.length, 0);
            assert.ok(!(await as[role](`/hotspots/rental?units=grid&filter=${f}`)).text().includes(row.grid));
        }
        const hot = (await as.officer('/hotspots/hazard?units=grid&limit=100000')).text();
        const grids = new Set(rows.grid.filter((g) => g.town !== town).map((g) => g.id));
        for (const target of ['/coverage/partition?rows=true', '/coverage/workload?by=grid', '/coverage/patrol?rows=true', '/coverage/patrol?by=grid']) {
            const answer = await as.officer(target);
            assert.ok([200, 400, 404].includes(answer.status), target);
            if (answer.status === 200)
                for (const g of grids) assert.ok(!answer.text().includes(`"${g}"`), `${target} ${g}`);
        }
        const followed = await as.officer('/positions');
        assert.equal(followed.status, 200);
        assert.ok(followed.json().groups.length);
        for (const g of grids) assert.ok(!followed.text().includes(`"${g}"`), `positions ${g}`);
        for (const u of rows.town.filter((u) => u.id !== town)) assert.ok(!followed.text().includes(`"${u.id}"`), `positions ${u.id}`);
        for (const g of grids) assert.ok(!hot.includes(`"${g}"`), `hotspots ${g}`);
        // Something changed, not where.
        const changes = (await as.officer('/changes?since=0')).json();
        for (const told of Object.values(changes.layers)) assert.deepEqual([told.level, told.cells], [0, [[0, 0]]]);
    });

    await t.test('nothing kept for one is answered to another', async () => {
        const targets = ['/tiles/rental/10/834/444.mvt', '/stats/rental?by=town', '/collections', '/collections/rental/queryables', '/catalog', '/tiles/heat:rental/10/834/444.png'];
        const answers = {};
        for (const order of [['admin', 'wall', 'officer', 'neighbour', 'ingest'], ['ingest', 'neighbour', 'officer', 'wall', 'admin']])
            for (const role of order)
                for (const target of targets) {
                    const answer = await as[role](target), key = `${role} ${target}`;
                    answers[key] ??= `${answer.status} ${answer.body.toString('base64')}`;
                    assert.equal(`${answer.status} ${answer.body.toString('base64')}`, answers[key], key);
                    const etag = answer.headers.etag;
                    for (const reader of order) {
                        const again = etag ? await as[reader](target, { headers: { 'if-none-match': etag } }) : null;
                        if (again?.status === 304) assert.equal(answers[`${reader} ${target}`] ?? answers[key], answers[key], `${reader} ${target}`);
                    }
                }
        assert.notEqual(answers['officer /stats/rental?by=town'], answers['admin /stats/rental?by=town']);
    });

    await t.test('who sees the same shares what is kept', async () => {
        const second = askAs(url, await token(city, 'officer', '--area', `town:${town}`)), target = '/stats/premises?by=fire_grade&filter=residents%3C7';
        await known(second, '/catalog');
        const hits = async () => Number(/onemap_cache_hits_total\{cache="answers"\} (\d+)/.exec((await as.admin('/metrics')).text())[1]);
        const first = await as.officer(target), before = await hits();
        const again = await second(target);
        assert.deepEqual([again.status, again.text(), again.headers.etag], [200, first.text(), first.headers.etag]);
        assert.ok(await hits() > before);
        assert.notEqual((await as.neighbour(target)).text(), first.text());
    });

    await t.test('rows whose classes are hidden are drawn alike', async () => {
        const items = async (role) => (await as[role]('/legend/rental.json')).json().items;
        assert.ok((await items('admin')).length > 1);
        assert.equal((await items('analyst')).length, 1);
        const tile = async (role) => {
            const answer = await as[role]('/tiles/rental/9/418/222.png');
            assert.equal(answer.status, 200, role);
            return answer.body;
        };
        const [seen, alike] = [await tile('admin'), await tile('analyst')];
        assert.ok(!seen.equals(alike));
        assert.ok(seen.equals(await tile('admin')) && alike.equals(await tile('analyst')), 'neither is kept for the other');
    });

    await t.test('what is wrong with a question names no hidden column', async () => {
        const f = encodeURIComponent('nothing_of_the_kind > 1');
        for (const role of ['wall', 'analyst']) {
            for (const [layer, hidden] of Object.entries(about).map(([name, l]) => [name, l.personal_columns ?? []]))
                for (const target of [`/collections/${layer}/items?filter=${f}`, `/stats/${layer}?filter=${f}`, `/stats/${layer}?by=nothing_of_the_kind`, `/stats/${layer}?sum=nothing_of_the_kind`,
                    `/tiles/${layer}/10/834/444.mvt?filter=${f}`, `/tiles/heat:${layer}/10/834/444.png?filter=${f}`, `/tiles/heat:${layer}/10/834/444.png?weight=nothing_of_the_kind`,
                    `/nearest/${layer}?lon=113.75&lat=23.02&filter=${f}`, `/hotspots/${layer}?filter=${f}`, `/hotspots/${layer}?weight=nothing_of_the_kind`,
                    `/collections/${layer}/items?sortby=nothing_of_the_kind`, `/collections/${layer}/items?properties=nothing_of_the_kind`, `/collections/${layer}/items?nothing_of_the_kind=1`,
                    `/value?name=heat:${layer}&lon=113.75&lat=23.02&filter=${f}`, `/map.png?layers=${layer}&bbox=113.7,23,113.8,23.1&filter=${f}`, `/coverage/patrol?layer=${layer}&filter=${f}`]) {
                    const answer = await as[role](target);
                    assert.ok([400, 404].includes(answer.status), `${role} ${target}: ${answer.status}`);
                    for (const column of hidden) assert.ok(!new RegExp(`\\b${column}\\b`).test(answer.json().detail), `${role} ${target}: ${answer.json().detail}`);
                }
            // A column that is hidden is refused in the same words as one that is not there.
            for (const target of ['/collections/rental/items?filter=X%20IS%20NULL', '/collections/rental/items?sortby=X', '/collections/rental/items?properties=X', '/stats/hazard?filter=X%20IS%20NULL'])
                for (const column of target.includes('hazard') ? ['worker'] : ['level', 'residents'])
                    assert.equal((await as[role](target.replace('X', column))).json().detail.replace(column, '?'), (await as[role](target.replace('X', 'nothing'))).json().detail.replace('nothing', '?'), target);
            const entry = (await as[role]('/catalog')).json().layers.find((l) => l.name === 'rental');
            assert.equal(entry.columns, (await as[role]('/collections/rental')).json().columns.length);
        }
        for (const [role, layer] of [['officer', 'rental'], ['of_village', 'hazard'], ['neighbour', 'worker']]) {
            const n = left(role, layer).length;
            assert.equal((await as[role]('/catalog')).json().layers.find((l) => l.name === layer).rows, n);
            assert.equal((await as[role](`/collections/${layer}`)).json().rows, n);
        }
    });

    await t.test('a row that changes where it is not seen does not look changed', async () => {
        const { id, residents } = rows.rental.find((row) => row.town === town), target = `/collections/rental/items/${id}`;
        const patch = async (properties) => (await as.admin(target, { method: 'PATCH', type: MERGE, body: { type: 'Feature', properties } })).status;
        const heads = async (role) => {
            const answers = [await as[role](target), await as[role](target, { method: 'HEAD' }), await as[role](`/collections/rental/items?limit=5&filter=${encodeURIComponent(`id = '${id}'`)}`)];
            return answers.map((a) => `${a.status} ${a.headers.etag} ${a.headers['content-length']}`);
        };
        const before = { wall: await heads('wall'), analyst: await heads('analyst'), admin: await heads('admin') };
        assert.equal(await patch({ residents: Number(residents) + 1, level: 'prohibited' }), 200);
        for (const role of ['wall', 'analyst']) assert.deepEqual(await heads(role), before[role]);
        assert.notDeepEqual(await heads('admin'), before.admin);
        assert.equal(await patch({ residents: Number(residents), level: rows.rental.find((row) => row.id === id).level }), 200);
        assert.deepEqual(await heads('wall'), before.wall);
    });

    await t.test('looking is not taking away', async () => {
        const ask = askAs(url, await token(city, 'wall')), items = '/collections/hazard/items';
        await known(ask, '/catalog');
        for (const target of [`${items}?f=csv`, `${items}?f=csv&limit=5`, `${items}?f=fgb`, `${items}?f=gpkg`, `${items}.geojson`, `${items}.csv`, `${items}.fgb`, `${items}.gpkg`])
            assert.equal((await ask(target)).status, 404, target);
        assert.equal((await ask(`${items}?limit=5`, { headers: { accept: 'text/csv' } })).status, 404);
        const page = await ask(`${items}?limit=100000`);
        assert.equal(page.json().features.length, 1000);
        assert.ok(page.json().numberMatched > 1000);
        assert.ok(!page.json().links.some((l) => l.rel === 'next') && !page.headers.link);
        const { href } = (await as.analyst(`${items}?limit=5`)).json().links.find((l) => l.rel === 'next');
        assert.equal((await ask(href.slice(url.length))).status, 404);
        // Nor is one narrow question after the other.
        let answer, last = '', told = 0;
        for (let i = 0; i < 60; i++) {
            answer = await ask(`${items}?limit=1000&sortby=id&filter=${encodeURIComponent(`id > '${last}'`)}`);
            if (answer.status !== 200) break;
            const { features } = answer.json();
            told += features.length;
            last = features.length < 1000 ? '' : features.at(-1).id;
        }
        assert.equal(answer.status, 429);
        assert.ok(Number(answer.headers['retry-after']) >= 1);
        assert.ok(told >= 10000 && told < 40000, `${told}`);
        assert.equal((await ask('/stats/hazard')).status, 200);
        assert.equal((await ask(`${items}/${rows.hazard[0].id}`)).status, 429);
        // What lies beneath every map, and its units, are nobody's rows.
        for (const target of ['/collections/town/items?limit=1000', '/collections/grid/items', '/collections/road/items?limit=1000', '/tiles/road/10/834/444.mvt', '/tiles/water/10/835/444.mvt', '/tiles/road/14/13351/7109.mvt', '/tiles/grid/12/3338/1777.mvt'])
            for (let i = 0; i < 3; i++) assert.ok([200, 204].includes((await ask(target)).status), target);
        const [{ lon, lat }] = rows.hazard;
        assert.equal((await ask(`/tiles/hazard/17/${tileX(Number(lon), 17)}/${tileY(Number(lat), 17)}.mvt`)).status, 429);
        assert.equal((await as.wall(`${items}?limit=1`)).status, 200);
        // Nor are those around one place after the other.
        const near = askAs(url, await token(city, 'wall'));
        await known(near, '/catalog');
        for (told = 0, answer = null; told < 60000 && answer?.status !== 429;) {
            answer = await near(`/nearest/hazard?lon=${113.7 + told / 6e5}&lat=23.02&k=1000`);
            if (answer.status === 200) told += answer.json().features.length;
        }
        assert.equal(answer.status, 429);
        assert.ok(told >= 10000 && told < 40000, `${told}`);
    });

    await t.test('who asked for rows is noted', async () => {
        await as.officer('/collections/rental/items?limit=3&filter=residents%3E3');
        await as.wall('/tiles/grid/10/834/444.mvt');
        const typed = ['东城街道', "O'Nobody"];
        await as.officer(`/search?q=${encodeURIComponent(typed[0])}`);
        await as.officer(`/collections/premises/items?limit=1&filter=${encodeURIComponent(`name LIKE '%${typed[0]}%' AND residents > 3 OR name = 'O''Nobody'`)}`);
        await as.officer(`/collections/premises/items?limit=1&name=${encodeURIComponent(typed[0])}`);
        const lines = (await onemap('audit', city)).stdout.trim().split('\n').map((line) => JSON.parse(line));
        const id = (role) => who[role].split('.')[1];
        assert.ok(lines.some((l) => l.token === id('officer') && l.role === 'officer' && l.area === `town:${town}` && l.route === 'items' && l.status === 200 &&
            l.target === '/collections/rental/items?limit=3&filter=residents%3E3' && !Number.isNaN(Date.parse(l.at))));
        // Tiles are looked at, and what is refused tells no rows.
        assert.deepEqual(lines.filter((l) => l.token === id('wall') && l.route === 'tile'), []);
        const mine = (await onemap('audit', city, '--token', id('officer'))).stdout.trim().split('\n');
        assert.ok(mine.length > 10 && mine.every((line) => JSON.parse(line).token === id('officer')));
        // What somebody typed is not in it, and can be looked for.
        const all_targets = lines.map((l) => l.target).join('\n');
        for (const word of [...typed, 'Nobody']) assert.ok(!all_targets.includes(word) && !decodeURIComponent(all_targets).includes(word), word);
        const found = (await onemap('audit', city, '--text', typed[0])).stdout.trim().split('\n').map((line) => JSON.parse(line));
        assert.deepEqual(found.map((l) => l.route), ['search', 'items']);
        assert.match(found[0].target, /^\/search\?q=~[0-9a-f]{20}$/);
        const [one] = (await onemap('audit', city, '--text', typed[1])).stdout.trim().split('\n').map((line) => JSON.parse(line));
        assert.match(decodeURIComponent(one.target), /^\/collections\/premises\/items\?limit=1&filter=name LIKE '~[0-9a-f]{20}' AND residents > 3 OR name = '~[0-9a-f]{20}'$/);
        assert.equal((await onemap('audit', city, '--text', 'nobody asked for this')).stdout, '');
        const folder = path.join(city, 'audit'), file = (await readdir(folder)).find((name) => name.endsWith('.log')), at = path.join(folder, file);
        const text = await readFile(at, 'utf8');
        for (const secret of typed) assert.ok(!text.includes(secret));
        for (const secret of Object.values(who)) assert.ok(!text.includes(secret.split('.')[2]));
        const all = text.split('\n');
        for (const changed of [text.replace('"role":"officer"', '"role":"wall"'), [...all.slice(0, 3), ...all.slice(4)].join('\n'), [...all.slice(0, 3), all[2], ...all.slice(3)].join('\n')]) {
            await writeFile(at, changed);
            const result = await onemap('audit', city);
            assert.equal(result.status, 1);
            assert.match(result.stderr, /does not follow/);
        }
        await writeFile(at, text);
        assert.equal((await onemap('audit', city)).status, 0);
    });

    const { stderr } = await server.stop();
    for (const text of Object.values(who)) assert.ok(!stderr.includes(text.split('.')[2]));
});
