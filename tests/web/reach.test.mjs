// Service and sites as users meet them: verb and route.
//
// Plan
//   shares add up: rows, units, centres and areas say the same as the city
//   straight ways are geodesics times the factor; roads are no shorter
//   new sites bring exactly what was promised, once they are there
//   what the city does not have, or is written wrong, is named on both sides
import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { done, folder, onemap } from './onemap.mjs';
import { charge, serve } from './server.mjs';

const SCALE = 0.004;

async function json(...args) {
    return JSON.parse(await done('coverage', ...args, '--format', 'json', '--quiet'));
}

async function geojson(...args) {
    return JSON.parse(await done('coverage', ...args, '--format', 'geojson', '--quiet'));
}

function sum(rows, column) {
    return rows.reduce((total, row) => total + row[column], 0);
}

/** Vincenty's inverse formula on WGS 84, in metres. */
function geodesicM([lonA, latA], [lonB, latB]) {
    const a = 6378137, f = 1 / 298.257223563, b = a * (1 - f), rad = Math.PI / 180;
    const u1 = Math.atan((1 - f) * Math.tan(latA * rad)), u2 = Math.atan((1 - f) * Math.tan(latB * rad));
    const l = (lonB - lonA) * rad;
    let lambda = l, sigma = 0, sin = 0, cos = 1, c2 = 1, cm = 0;
    for (let i = 0; i < 100; i++) {
        const p = Math.cos(u2) * Math.sin(lambda);
        const q = Math.cos(u1) * Math.sin(u2) - Math.sin(u1) * Math.cos(u2) * Math.cos(lambda);
        sin = Math.hypot(p, q);
        if (sin === 0) return 0;
        cos = Math.sin(u1) * Math.sin(u2) + Math.cos(u1) * Math.cos(u2) * Math.cos(lambda);
        sigma = Math.atan2(sin, cos);
        const az = Math.cos(u1) * Math.cos(u2) * Math.sin(lambda) / sin;
        c2 = 1 - az * az;
        cm = cos - 2 * Math.sin(u1) * Math.sin(u2) / c2;
        const c = f / 16 * c2 * (4 + f * (4 - 3 * c2)), old = lambda;
        lambda = l + (1 - c) * f * az * (sigma + c * sin * (cm + c * cos * (2 * cm * cm - 1)));
        if (Math.abs(lambda - old) < 1e-13) break;
    }
    const k = c2 * (a * a - b * b) / (b * b);
    const big = 1 + k / 16384 * (4096 + k * (-768 + k * (320 - 175 * k)));
    const small = k / 1024 * (256 + k * (-128 + k * (74 - 47 * k)));
    return b * big * (sigma - small * sin * (cm + small / 4 * (cos * (2 * cm * cm - 1) -
        small / 6 * cm * (4 * sin * sin - 3) * (4 * cm * cm - 3))));
}

test('reach', async (t) => {
    const dir = await folder(t);
    const src = path.join(dir, 'src'), city = path.join(dir, 'city');
    await done('synth', src, '--scale', SCALE, '--quiet');
    await done('import', city, '--all', src, '--quiet');
    const service = (...args) => json(city, 'service', ...args);

    /** A copy of the city whose city.json has been changed. */
    async function changed(name, change) {
        const copy = path.join(dir, name), file = path.join(copy, 'city.json');
        await cp(city, copy, { recursive: true });
        const document = JSON.parse(await readFile(file, 'utf8'));
        change(document);
        await writeFile(file, JSON.stringify(document));
        return copy;
    }

    await t.test('shares add up', async () => {
        const whole = await service();
        const [row] = whole.rows;
        assert.equal(whole.over, 'road');
        assert.equal(whole.mode, 'walk');
        assert.deepEqual(whole.near, ['500m', '1000m', '10min']);
        assert.equal(row.over, 'road');
        assert.equal(row.count, 48000);
        assert.equal(row.sum, 52000);
        assert.ok(whole.roads.largest_km > 0.99 * whole.roads.km);
        assert.ok(row.count_off + row.count_cut < 0.005 * row.count);
        for (const name of ['count', 'sum', 'count_500m', 'sum_10min', 'mean_m', 'median_m', 'max_m'])
            assert.equal(whole.city[name], row[name]);
        assert.ok(row.count_500m < row.count_1000m && row.count_10min < row.count_1000m);
        assert.ok(Math.abs(row.sum_share_10min - row.sum_10min / row.sum) < 1e-12);
        assert.match(row.text_en, /^\S+: [\d,]+ of 52,000 residents \(\d+\.\d %\) are more than 10 minutes on foot/);
        assert.match(row.text, /52,000名居民中有[\d,]+名\(\d+\.\d%\)不在党群服务中心的步行10分钟服务圈内/);

        const { rows } = await service('--rows');
        assert.equal(rows.length, row.count);
        assert.equal(new Set(rows.map((r) => r.id)).size, row.count);
        assert.equal(sum(rows, 'sum'), row.sum);
        const few = (await service('--rows', '--limit', '5')).rows;
        assert.deepEqual(few, rows.slice(0, 5));
        const placed = await geojson(city, 'service', '--rows', '--limit', '5');
        for (const [i, { geometry, properties }] of placed.features.entries()) {
            assert.equal(properties.lon, undefined);
            assert.ok(Math.abs(geometry.coordinates[0] - few[i].lon) < 1e-6);
            assert.ok(Math.abs(geometry.coordinates[1] - few[i].lat) < 1e-6);
        }
        const near = rows.filter((r) => r.class === 'near');
        assert.equal(near.length, row.count_10min);
        assert.equal(sum(near, 'sum'), row.sum_10min);
        assert.equal(rows.filter((r) => r.class === 'cut').length, row.count_cut);
        for (const r of rows) {
            if (r.class === 'near') assert.ok(r.minutes <= 10 && r.centre);
            if (r.class === 'far') assert.ok(r.minutes > 10 && r.centre);
            if (r.m !== null) assert.ok(Math.abs(r.m / 80 - r.minutes) < 0.001);
        }
        const ways = rows.filter((r) => r.m !== null).map((r) => r.m).sort((a, b) => a - b);
        assert.equal(ways[Math.floor((ways.length - 1) / 2)], row.median_m);
        assert.equal(ways.at(-1), row.max_m);

        for (const level of ['grid', 'village', 'town']) {
            const units = await service('--by', level);
            for (const name of ['count', 'sum', 'count_cut', 'count_500m', 'sum_1000m', 'sum_10min'])
                assert.equal(sum(units.rows, name), row[name], `${level} ${name}`);
            assert.equal(units.city.median_m, row.median_m);
        }
        const centres = await service('--centres');
        assert.equal(centres.rows.length, whole.centres);
        assert.equal(sum(centres.rows, 'count'), row.count - row.count_off - row.count_cut);
        assert.equal(sum(centres.rows, 'sum_10min'), row.sum_10min);

        // What all centres that reach anybody offer, all people have together.
        const access = await service('--access');
        const offered = (await service('--centres', '--access')).rows
            .filter((r) => r.catchment_per_1000 > 0);
        assert.ok(Math.abs(access.rows[0].access_per_1000 * row.sum / 1000 - sum(offered, 'capacity')) < 1e-6);
        assert.equal(row.access_per_1000, undefined);

        const areas = await geojson(city, 'service', '--areas');
        assert.equal(areas.features.reduce((n, a) => n + a.properties.sum, 0), row.sum - row.sum_10min);
        const sums = areas.features.map((a) => a.properties.sum);
        assert.deepEqual(sums, [...sums].sort((a, b) => b - a));
        for (const a of areas.features) assert.equal(a.geometry.type, 'Polygon');
    });

    await t.test('the worst come first', async () => {
        const { rows } = await service('--by', 'village');
        const far = (r) => r.sum - r.sum_10min;
        const worst = (await service('--by', 'village', '--worst', '5')).rows;
        const want = rows.map(far).sort((a, b) => b - a).slice(0, 5);
        assert.deepEqual(worst.map(far), want);
        assert.equal((await onemap('coverage', city, 'service', '--worst', '5')).status, 2);
    });

    await t.test('straight ways are geodesics, and roads are no shorter', async () => {
        const straight = await geojson(city, 'service', '--rows', '--over', 'straight', '--factor', '1');
        const roads = (await service('--rows')).rows;
        const centres = (await geojson(city, 'service', '--centres')).features;
        assert.equal(straight.over, 'straight x 1');
        for (let i = 0; i < straight.features.length; i += 97) {
            const { geometry, properties } = straight.features[i];
            const best = Math.min(...centres.map((c) =>
                geodesicM(geometry.coordinates, c.geometry.coordinates)));
            // Seven decimals of a degree are a centimetre.
            assert.ok(Math.abs(properties.m - best) < 0.03, `${properties.id}: ${properties.m}, not ${best}`);
            assert.equal(properties.id, roads[i].id);
            if (roads[i].m !== null) assert.ok(roads[i].m > properties.m - 0.03);
        }
        const [plain] = (await service('--over', 'straight')).rows;
        assert.equal(plain.over, 'straight x 1.3');
        assert.equal(plain.count_off + plain.count_cut, 0);
        assert.match(plain.text_en, /\(straight x 1\.3\)/);
    });

    await t.test('riders get farther, wider limits hold more', async () => {
        const [walk] = (await service()).rows;
        const [ride] = (await service('--mode', 'ebike')).rows;
        assert.ok(ride.sum_10min > walk.sum_10min);
        const [wide] = (await service('--limits', '500,750,3000', '--minutes', '20')).rows;
        assert.equal(wide.count_500m, walk.count_500m);
        assert.ok(wide.count_750m >= wide.count_500m && wide.count_3000m >= wide.count_750m);
        assert.ok(wide.sum_20min >= walk.sum_10min);
        const [few] = (await service('--where', 'windows >= 6')).rows;
        assert.ok(few.sum_10min < walk.sum_10min && few.mean_m > walk.mean_m);
        const village = (await service('--by', 'village')).rows.find((r) => r.count > 0);
        const [among] = (await service('--among', `village = '${village.id}'`)).rows;
        for (const name of ['count', 'sum', 'sum_10min', 'median_m'])
            assert.equal(among[name], village[name]);
        const [none] = (await service('--where', 'windows > 1000000')).rows;
        assert.equal(none.count_cut, none.count);
        assert.equal(none.max_m, null);
    });

    await t.test('new sites bring what was promised', async () => {
        for (const over of [['--over', 'road'], ['--over', 'straight']]) {
            const answer = await json(city, 'site', '--k', '4', ...over);
            assert.equal(answer.rows.length, 4);
            assert.equal(answer.after, answer.before + answer.gain);
            assert.equal(sum(answer.rows, 'gain'), answer.gain);
            assert.ok(answer.of_best_at_least > 0.63 && answer.of_best_at_least <= 1);
            const gains = answer.rows.map((r) => r.gain);
            assert.deepEqual(gains, [...gains].sort((a, b) => b - a));
            const [now] = (await service(...over)).rows;
            assert.equal(answer.before, now.sum_10min);
            // Build them, and ask again.
            const file = path.join(dir, 'more.csv');
            const centres = (await geojson(city, 'service', '--centres')).features
                .map((c) => c.geometry.coordinates.join());
            const sites = answer.rows.map((r) => `${r.lon.toFixed(9)},${r.lat.toFixed(9)}`);
            await writeFile(file, `id,lon,lat\n${[...centres, ...sites].map((c, i) => `n${i},${c}`).join('\n')}\n`);
            await done('import', city, 'more', file, '--replace', '--quiet');
            const [then] = (await service('--layer', 'more', ...over)).rows;
            // Places go through text: a centimetre may put one across the limit.
            assert.ok(Math.abs(then.sum_10min - answer.after) <= 0.002 * answer.after,
                `${then.sum_10min}, not ${answer.after}`);
            assert.match(answer.rows[0].text_en, /^1\. \S+, \S+: a new service centre here brings/);
            assert.match(answer.rows[0].text, /^1、\S+:在此新设党群服务中心,可使[\d,]+名居民进入步行10分钟服务圈/);
        }
        const wide = await json(city, 'site', '--k', '1000', '--spacing', '50000', '--within', '2000');
        assert.equal(wide.within, '2000m');
        assert.equal(wide.asked, 1000);
        assert.ok(wide.chosen <= wide.candidates && wide.candidates < 20);
    });

    await t.test('what a city does not have', async () => {
        const bare = await changed('bare', (d) => { delete d.service.roads; });
        assert.equal((await json(bare, 'service')).over, 'straight x 1.3');
        const without = await onemap('coverage', bare, 'service', '--over', 'road');
        assert.equal(without.status, 2);
        assert.match(without.stderr, /^onemap coverage: --over: the city has no roads/m);
        const silent = await changed('silent', (d) => { delete d.service; });
        const lost = await onemap('coverage', silent, 'service');
        assert.equal(lost.status, 2);
        assert.match(lost.stderr, /--layer: which centres\?/);
        const told = await json(silent, 'service', '--layer', 'service_centre', '--people', 'building',
            '--over', 'straight').catch((error) => error.message);
        assert.match(told, /--people: the layer building is not of points/);
        const [plain] = (await json(silent, 'service', '--layer', 'service_centre', '--people', 'address')).rows;
        assert.equal(plain.sum, plain.count);
        // Centres of a layer of points of any kind.
        const [shops] = (await service('--layer', 'business')).rows;
        assert.ok(shops.mean_m < (await service()).rows[0].mean_m);
    });

    await t.test('what is written wrong is named', async () => {
        const wrong = [
            [['--mode', 'swim'], '--mode: there is no mode \'swim\'; there is walk, ebike'],
            [['--layer', 'nowhere'], '--layer: the city has no layer \'nowhere\''],
            [['--layer', 'road'], '--layer: the layer road is not of points'],
            [['--over', 'sea'], '--over: \'sea\' is neither road nor straight'],
            [['--limits', '500,'], '--limits: \'500,\' is not a list'],
            [['--limits', '0'], '--limits: 0 is not in'],
            [['--limits', '1,2,3,4,5,6,7,8'], '--limits: more than 7 limits'],
            [['--minutes', 'NaN'], '--minutes: \'NaN\' is not a number'],
            [['--factor', '0.5'], '--factor: 0.5 is not in'],
            [['--reach', '5000'], '--reach: 5000 is not in'],
            [['--where', 'depth > 3'], '--where: '],
            [['--among', 'severity = 1'], '--among: '],
            [['--weight', 'text'], '--weight: address has no whole-number column \'text\''],
            [['--by', 'street'], '--by: there is no level'],
            [['--rows', '--areas'], '--rows: rows, areas and centres are answers of their own'],
        ];
        for (const [args, message] of wrong) {
            const { status, stderr, stdout } = await onemap('coverage', city, 'service', ...args);
            assert.equal(status, 2, args.join(' '));
            assert.equal(stdout, '');
            assert.ok(stderr.startsWith(`onemap coverage: ${message}`), stderr);
        }
        const both = await onemap('coverage', city, 'site', '--within', '500', '--minutes', '5');
        assert.match(both.stderr, /--within: metres and minutes both/);
        const members = [
            [(s) => { s.layer = 'gone'; }, 'service.layer names a layer that the city does not have'],
            [(s) => { s.roads.layer = 'water'; }, 'service.roads.layer names a layer of another geometry'],
            [(s) => { s.roads.crossings = 3; }, 'service.roads.crossings is not a text'],
            [(s) => { s.modes.walk.m_per_min = 'fast'; }, 'service.modes.walk.m_per_min is not a number'],
            [(s) => { s.modes.walk.roads = 'kind <'; }, 'service.modes.walk.roads: '],
            [(s) => { s.population.weight = 'soul'; }, 'service.population.weight names no whole-number column'],
            [(s) => { s.limits_m = 500; }, 'service.limits_m is not a list'],
            [(s) => { s.straight_factor = 0.2; }, 'service.straight_factor is not a number in [1, 10]'],
        ];
        for (const [i, [change, message]] of members.entries()) {
            const copy = await changed(`member${i}`, (d) => change(d.service));
            const { status, stderr } = await onemap('coverage', copy, 'service');
            assert.equal(status, 1, message);
            assert.ok(stderr.startsWith(`onemap coverage: city.json: ${message}`), stderr);
        }
    });

    await t.test('the same over HTTP', async (st) => {
        // Which houses are far from a centre is for those in charge.
        const { args, auth } = await charge(path.dirname(city)), { url } = await serve(st, city, ...args);
        const get = async (target) => {
            const response = await fetch(url + target, { headers: auth });
            return { status: response.status, body: await response.json() };
        };
        const whole = await get('/coverage/service');
        assert.equal(whole.status, 200);
        assert.deepEqual(whole.body, await service());
        const villages = await get('/coverage/service?by=village&mode=ebike&f=geojson');
        assert.equal(villages.body.features.length, (await service('--by', 'village')).rows.length);
        assert.equal(villages.body.over, 'road');
        const areas = await get('/coverage/service?areas=true&limit=3&f=geojson');
        assert.equal(areas.body.features.length, 3);
        const sites = await get('/coverage/site?k=3&spacing=500');
        assert.deepEqual(sites.body, await json(city, 'site', '--k', '3', '--spacing', '500'));
        for (const [target, name] of [['mode=swim', 'mode'], ['layer=nowhere', 'layer'],
            ['limits=x', 'limits'], ['filter=depth%20%3E%203', 'filter'], ['k=3', 'k'], ['rows=maybe', 'rows']]) {
            const { status, body } = await get(`/coverage/service?${target}`);
            assert.equal(status, 400, target);
            assert.equal(body.parameter, name);
        }
    });
});
