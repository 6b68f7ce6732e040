// Rows of a drawn area and of what is near: /stats, items and files.
//
// Plan
//   within=  a polygon with a dent, one with a hole, GeoJSON: those that are in
//            it, counted here one by one; by kind, by day, sums, shares
//   near=    those not farther than radius, by Vincenty's formula
//   per=     what is exposed is counted in the same place
//   pages, files and what is kept of them keep places apart
//   what is wrong is told with its parameter; what crosses itself is taken, but
//   not a thousand times
//   persons: no drawn area tells of them, whoever counts only
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { askAs, csv, makeSynthetic, token } from './roles.mjs';
import { get, makeCity, places } from './sample.mjs';
import { serve } from './server.mjs';

/** Even-odd rule over closed rings, whose sides are straight on the map. */
function inside(rings, at) {
    const onMap = ([lon, lat]) => [lon, Math.asinh(Math.tan(lat * Math.PI / 180))], [x, y] = onMap(at);
    let odd = false;
    for (const ring of rings)
        for (let i = 0; i + 1 < ring.length; i++) {
            const [[ax, ay], [bx, by]] = [onMap(ring[i]), onMap(ring[i + 1])];
            if ((ay > y) !== (by > y) && x < ax + (y - ay) / (by - ay) * (bx - ax)) odd = !odd;
        }
    return odd;
}

/** Metres on the WGS 84 ellipsoid (Vincenty 1975, inverse). */
function distance([lon1, lat1], [lon2, lat2]) {
    const rad = Math.PI / 180, a = 6378137, f = 1 / 298.257223563, b = a * (1 - f);
    const u1 = Math.atan((1 - f) * Math.tan(lat1 * rad)), u2 = Math.atan((1 - f) * Math.tan(lat2 * rad));
    const L = (lon2 - lon1) * rad, [s1, c1, s2, c2] = [Math.sin(u1), Math.cos(u1), Math.sin(u2), Math.cos(u2)];
    let lambda = L;
    for (let i = 0; i < 50; i++) {
        const sl = Math.sin(lambda), cl = Math.cos(lambda);
        const sigmaSin = Math.hypot(c2 * sl, c1 * s2 - s1 * c2 * cl), sigmaCos = s1 * s2 + c1 * c2 * cl;
        if (!sigmaSin) return 0;
        const sigma = Math.atan2(sigmaSin, sigmaCos), sinA = c1 * c2 * sl / sigmaSin, cos2A = 1 - sinA ** 2;
        const cos2M = cos2A ? sigmaCos - 2 * s1 * s2 / cos2A : 0, C = f / 16 * cos2A * (4 + f * (4 - 3 * cos2A));
        const next = L + (1 - C) * f * sinA * (sigma + C * sigmaSin * (cos2M + C * sigmaCos * (2 * cos2M ** 2 - 1)));
        if (Math.abs(next - lambda) < 1e-13) {
            const u = cos2A * (a * a - b * b) / (b * b);
            const A = 1 + u / 16384 * (4096 + u * (-768 + u * (320 - 175 * u)));
            const B = u / 1024 * (256 + u * (-128 + u * (74 - 47 * u)));
            return b * A * (sigma - B * sigmaSin * (cos2M + B / 4 * (sigmaCos * (2 * cos2M ** 2 - 1)
                - B / 6 * cos2M * (4 * sigmaSin ** 2 - 3) * (4 * cos2M ** 2 - 3))));
        }
        lambda = next;
    }
    return NaN;
}

const wkt = (rings) => `POLYGON(${rings.map((ring) => `(${ring.map((p) => p.join(' ')).join(',')})`).join(',')})`;
const query = (params) => new URLSearchParams(params).toString();

/* No corner and no side goes through a row's hundredth of a degree. */
const DENT = [[[113.5213, 22.7117], [113.7719, 22.7523], [113.6411, 22.8537], [113.8217, 23.0113], [113.5531, 22.9871], [113.5213, 22.7117]]];
const HOLE = [[[113.5517, 22.7519], [113.8211, 22.7523], [113.8209, 23.0517], [113.5513, 23.0511], [113.5517, 22.7519]],
    [[113.6417, 22.8419], [113.6413, 22.9517], [113.7219, 22.9511], [113.7213, 22.8417], [113.6417, 22.8419]]];
const AREAS = [
    ['a dent', { within: wkt(DENT) }, (r) => inside(DENT, [r.lon, r.lat])],
    ['a hole', { within: wkt(HOLE) }, (r) => inside(HOLE, [r.lon, r.lat])],
    ['GeoJSON', { within: JSON.stringify({ type: 'Polygon', coordinates: DENT }) }, (r) => inside(DENT, [r.lon, r.lat])],
    ['near', { near: '113.70321,22.90517', radius: '7350.5' }, (r) => distance([113.70321, 22.90517], [r.lon, r.lat]) <= 7350.5],
    ['very near', { near: '113.70321,22.90517', radius: '1' }, () => false],
];

test('a place takes the rows that lie in it', async (t) => {
    const { city } = await makeCity(t), file = path.join(city, 'city.json');
    await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, 'utf8')), exposures: { any: { layer: 'place', floor: 1, scale: 1 } } }));
    const { url } = await serve(t, city), rows = places();
    const ask = async (target, params) => {
        const answer = await get(`${url}${target}?${query(params)}`);
        assert.equal(answer.status, 200, answer.text());
        return answer;
    };
    for (const [name, place, is] of AREAS)
        await t.test(name, async () => {
            const mine = rows.filter(is), count = (of) => mine.filter(of).length;
            if (name !== 'very near') assert.ok(mine.length > 300 && mine.length < 3500, `${mine.length}`);
            const all = (await ask('/stats/place', { ...place, by: 'kind', sum: 'weight' })).json();
            assert.equal(all.count, mine.length);
            assert.equal(all.sum, mine.reduce((n, r) => n + r.weight, 0));
            for (const g of all.groups) assert.equal(g.count, count((r) => r.kind === g.id), g.id);
            const days = (await ask('/stats/place', { ...place, by: 'day', filter: 'weight >= 5' })).json().groups;
            assert.equal(days.reduce((n, g) => n + g.count, 0), count((r) => r.weight >= 5));
            for (const g of days) assert.equal(g.count, count((r) => r.weight >= 5 && r.at.startsWith(g.id.slice(0, 10))));
            const rate = (await ask('/stats/place', { ...place, filter: "kind = 'shop'", share: 'weight < 3', per: 'any' })).json();
            assert.equal(rate.count, count((r) => r.kind === 'shop'));
            assert.equal(rate.share_count, count((r) => r.kind === 'shop' && r.weight < 3));
            assert.equal(rate.exposure, mine.length, 'what is exposed lies there, too');
            const page = (await ask('/collections/place/items', { ...place, limit: 5000, properties: 'id' })).json();
            assert.equal(page.numberMatched, mine.length);
            assert.deepEqual(page.features.map((f) => f.id).sort(), mine.map((r) => r.id).sort());
            const half = (await ask('/collections/place/items', { ...place, limit: 100, filter: 'weight > 6' })).json();
            let next = half, seen = half.features.length;
            for (let link; (link = next.links.find((l) => l.rel === 'next'));) {
                next = (await get(link.href)).json();
                seen += next.features.length;
            }
            assert.equal(seen, count((r) => r.weight > 6), 'over all pages');
            for (let again = 0; again < 2; again++) {
                const lines = csv((await ask('/collections/place/items.csv', place)).text());
                assert.deepEqual(lines.map((l) => l.id).sort(), mine.map((r) => r.id).sort());
            }
        });

    await t.test('what is wrong is told', async () => {
        const polygon = wkt(DENT);
        for (const [params, parameter] of [
            [{ within: 'POLYGON((1 2,3' }, 'within'], [{ within: '' }, 'within'], [{ within: 'POINT(113 23)' }, 'within'],
            [{ within: 'POLYGON((113 22,113 22,113 22,113 22))' }, 'within'], [{ within: 'POLYGON((113 95,114 95,114 96,113 95))' }, 'within'],
            [{ near: '113.7,22.9' }, 'radius'], [{ radius: '500' }, 'radius'], [{ near: '113.7', radius: '500' }, 'near'],
            [{ near: '113.7,22.9,5', radius: '500' }, 'near'], [{ near: '22.9,113.7', radius: '500' }, 'near'], [{ near: 'a,b', radius: '500' }, 'near'],
            [{ near: '113.7,22.9', radius: '0' }, 'radius'], [{ near: '113.7,22.9', radius: '-5' }, 'radius'], [{ near: '113.7,22.9', radius: '1e9' }, 'radius'],
            [{ near: '113.7,22.9', radius: 'nan' }, 'radius'], [{ near: '113.7,22.9', radius: '500', within: polygon }, 'near'],
            [{ bbox: '113,22,114,23', within: polygon }, 'within']])
            for (const target of ['/stats/place', '/collections/place/items', '/collections/place/items.csv']) {
                const answer = await get(`${url}${target}?${query(params)}`);
                assert.equal(answer.status, 400, `${target} ${query(params)}: ${answer.text().slice(0, 200)}`);
                assert.equal(answer.json().parameter, parameter, answer.text());
            }
        // Few corners, but each side crosses nearly all others.
        const star = (n) => `POLYGON((${Array.from({ length: n + 1 }, (_, i) => {
            const turn = 2 * Math.PI * (n / 2 - 1) * (i % n) / n;
            return `${(113.7 + 0.1 * (1 + 0.001 * (i % n % 7)) * Math.cos(turn)).toFixed(4)} ${(22.9 + 0.1 * Math.sin(turn)).toFixed(4)}`;
        }).join(',')}))`;
        assert.equal((await get(`${url}/stats/place?${query({ within: star(30) })}`)).status, 200);
        for (const params of [{ within: star(120) }, { filter: `S_INTERSECTS(geom, ${star(120)})` }]) {
            const answer = await get(`${url}/stats/place?${query(params)}`);
            assert.equal(answer.status, 422, answer.text());
            assert.match(answer.json().detail, /cross each other/);
            assert.equal(answer.json().parameter, Object.keys(params)[0]);
        }
        // A polygon that crosses itself is taken as its two halves.
        const bow = await ask('/stats/place', { within: 'POLYGON((113.5213 22.7117,113.8217 23.0113,113.8217 22.7117,113.5213 23.0113,113.5213 22.7117))' });
        const both = [[[113.5213, 22.7117], [113.8217, 23.0113], [113.8217, 22.7117], [113.5213, 23.0113], [113.5213, 22.7117]]];
        assert.equal(bow.json().count, rows.filter((r) => inside(both, [r.lon, r.lat])).length);
    });
});

test('no drawn area tells of persons', async (t) => {
    const { city } = await makeSynthetic(t);
    const who = { analyst: await token(city, 'analyst'), wall: await token(city, 'wall'), admin: await token(city, 'admin') };
    const { url } = await serve(t, city);
    const area = query({ within: 'POLYGON((113.6 22.8,113.9 22.8,113.9 23.1,113.6 23.1,113.6 22.8))' });
    const near = query({ near: '113.75,23.02', radius: 5000 });
    for (const role of ['analyst', 'wall', 'admin'])
        for (const place of [area, near]) {
            const ask = askAs(url, who[role]), may = role === 'admin';
            for (const target of ['/stats/address?sum=residents', '/stats/address?by=town&sum=residents', '/stats/rental?by=level', '/stats/rental?by=residents', '/stats/worker?by=town', '/stats/worker?', '/collections/worker/items?']) {
                const answer = await ask(`${target}&${place}`.replace('?&', '?'));
                assert.equal(answer.status, may ? 200 : 404, `${role} ${target}: ${answer.text().slice(0, 200)}`);
                if (!may) assert.ok(!/\d{2,}/.test(answer.json().detail ?? ''), answer.text());
            }
            const rate = await ask(`/stats/hazard?per=resident&${place}`);
            assert.equal(rate.status === 200, may, rate.text());
            for (const target of ['/stats/address?', '/stats/hazard?by=department&', '/stats/rental?by=town&'])
                assert.equal((await ask(`${target}${place}`)).status, 200, `${role} ${target}`);
        }
});
