// /tiles/heat:LAYER/z/x/y.days: what lies in each cell on each day.
//
// Plan
//   counts by day of a tile are those that /stats tells of its box; filters and
//     weights; what is asked otherwise and means the same is the same tile
//   any period added up and drawn is the picture of that period, but for a few
//     pixels that are one step off
//   models, layers without times and other parameters are refused with a reason;
//   who may not see a map may not see its days, in the same words; an area is
//     an area
//   a row that is written makes the tiles new that it lies in, and no other
import assert from 'node:assert/strict';
import test from 'node:test';

import { Painter, readDayTile, Sums } from '../../web/pages/analyst/daytile.js';
import { decode } from './png.mjs';
import { askAs, known, makeSynthetic, token } from './roles.mjs';
import { tileX, tileY } from './sample.mjs';
import { serve } from './server.mjs';

const HALF_YEAR = 'datetime=2022-12-29/2023-06-26';
const dayOf = (date) => Date.parse(`${date}T00:00:00Z`) / 864e5;

/** West, south, east, north of a tile, its last positions left out as those of the box's east are not. */
function boxOf(z, x, y) {
    const n = 2 ** z, lon = (v) => v / n * 360 - 180, lat = (v) => Math.atan(Math.sinh(Math.PI * (1 - 2 * v / n))) * 180 / Math.PI, bit = 1e-9;
    return [lon(x) + bit, lat(y + 1) + bit, lon(x + 1) - bit, lat(y) - bit].join();
}

/** Sums by day of the cells that lie in the tile itself. */
function byDay(tile) {
    const { z, x, y, exponent, column0, row0, columns, at, cell, sum, unit, first } = tile, side = 2 ** (32 - z - exponent), days = new Map();
    for (let d = 0; d < tile.days; d++)
        for (let i = at[d]; i < at[d + 1]; i++) {
            const c = column0 + cell[i] % columns, r = row0 + Math.floor(cell[i] / columns);
            if (Math.floor(c / side) === x && Math.floor(r / side) === y) days.set(first + d, (days.get(first + d) ?? 0) + sum[i] * unit);
        }
    return days;
}

/** How many pixels of a step's picture are so many steps off the server's. */
function compare(tile, period, legend, png) {
    const [from, to] = period.split('/').map(dayOf), painter = new Painter(tile, 256), values = painter.paint(new Sums(tile).set(from, to + 1));
    const colours = new Map(legend.steps.map((s, i) => [s.color, i + 1])), { rgba } = decode(png), off = [0, 0, 0];
    for (let i = 0; i < 65536; i++) {
        const p = rgba.subarray(4 * i, 4 * i + 4), step = p[3] ? colours.get(`#${Buffer.from(p.subarray(0, 3)).toString('hex')}`) : 0;
        assert.notEqual(step, undefined);
        let mine = 0;
        while (mine < 16 && values && values[i] >= legend.steps[mine].from) mine++;
        off[Math.min(2, Math.abs(mine - step))]++;
    }
    return off;
}

test('days of a layer', async (t) => {
    const { city } = await makeSynthetic(t, 0.01);
    const who = Object.fromEntries(await Promise.all(['admin', 'analyst', 'wall', 'ingest'].map(async (role) => [role, await token(city, role)])));
    const { url } = await serve(t, city), ask = askAs(url, who.analyst);
    // Where there are most, so that there is something on every zoom.
    const grids = (await ask('/stats/hazard?by=grid')).json().groups.filter((g) => g.id), most = grids.sort((a, b) => b.count - a.count)[0].id;
    const [LON, LAT] = (await ask(`/collections/hazard/items?grid=${most}&limit=1`)).json().features[0].geometry.coordinates, at = (z) => `${z}/${tileX(LON, z)}/${tileY(LAT, z)}`;
    const read = async (target) => {
        const answer = await ask(target);
        assert.equal(answer.status, 200, `${target}: ${answer.text().slice(0, 300)}`);
        assert.equal(answer.headers['content-type'], 'application/vnd.onemap.days');
        return readDayTile(answer.body);
    };

    await t.test('are what is counted', async () => {
        for (const [z, params, weight] of [[10, '', ''], [13, '', ''], [12, 'filter=severity%3E=3', ''], [11, 'weight=severity', 'severity'], [11, `bandwidth=300&kernel=gaussian&${HALF_YEAR}`, '']]) {
            const tile = await read(`/tiles/heat:hazard/${at(z)}.days?${params}`), days = byDay(tile);
            const query = new URLSearchParams(params);
            for (const name of ['weight', 'bandwidth', 'kernel']) query.delete(name);
            const { groups } = (await ask(`/stats/hazard?by=day&bbox=${boxOf(tile.z, tile.x, tile.y)}&${query}${weight && `&sum=${weight}`}`)).json();
            assert.ok(groups.length > 0, `z${z}: ${groups.length} days`);
            const own = new Map(groups.map((g) => [dayOf(g.id.slice(0, 10)), weight ? g.sum : g.count]));
            assert.deepEqual([...days].sort((a, b) => a[0] - b[0]), [...own].sort((a, b) => a[0] - b[0]), `z${z} ${params}`);
        }
        const a = await ask(`/tiles/heat:hazard/${at(12)}.days?filter=severity%3E=3%20AND%20status%3C%3E'closed'&bandwidth=800`), b = await ask(`/tiles/heat:hazard/${at(12)}.days?bandwidth=800.0&filter=status%20%3C%3E%20'closed'%20and%20severity%20%3E=%203`);
        assert.equal(a.headers.etag, b.headers.etag);
        assert.equal((await ask(`/tiles/heat:hazard/${at(12)}.days?bandwidth=800&filter=status%20%3C%3E%20'closed'%20and%20severity%20%3E=%203`, { headers: { 'if-none-match': a.headers.etag } })).status, 304);
        assert.equal((await ask(`/tiles/heat:hazard/12/0/0.days`)).status, 204);
    });

    await t.test('are the picture of any period', async () => {
        for (const z of [9, 11, 13, 15])
            for (const [kernel, bandwidth] of [['quartic', 800], ['gaussian', 1600], ['quartic', 400], ['epanechnikov', 800]]) {
                const params = `kernel=${kernel}&bandwidth=${bandwidth}`, tile = await read(`/tiles/heat:hazard/${at(z)}.days?${params}&${HALF_YEAR}`);
                for (const period of ['2023-02-03/2023-03-09', '2023-05-01/2023-05-20']) {
                    const legend = (await ask(`/legend/heat:hazard.json?${params}&datetime=${period}`)).json(), { body } = await ask(`/tiles/heat:hazard/${at(z)}.png?${params}&datetime=${period}`);
                    const [same, one, more] = compare(tile, period, legend, body);
                    assert.ok(same >= 0.9 * 65536 && more <= 0.03 * 65536, `z${z} ${params} ${period}: ${same} ${one} ${more}`);
                }
            }
    });

    await t.test('are refused with a reason', async () => {
        for (const [target, status, word] of [
            [`/tiles/heat:overall/${at(12)}.days`, [400, 401, 404], /./], [`/tiles/heat:address/${at(12)}.days`, [400], /no time/], [`/tiles/heat:nix/${at(12)}.days`, [404], /./],
            [`/tiles/heat:hazard/${at(12)}@2x.days`, [400], /@2x/], [`/tiles/heat:hazard/${at(12)}.days?per=house`, [400], /per/],
            [`/tiles/heat:hazard/${at(12)}.days?halflife=30`, [400], /halflife/], [`/tiles/heat:hazard/${at(12)}.days?filter=nothing=1`, [400], /nothing/], [`/tiles/heat:hazard/${at(12)}.days?bandwidth=1`, [400], /bandwidth/],
            [`/tiles/heat:hazard/12/4096/0.days`, [404], /Z\/X\/Y\.days/], [`/tiles/heat:hazard/${at(12)}.day`, [400], /\.days/], [`/tiles/heat:hazard/${at(12)}.days?weight=status`, [400], /weight/]]) {
            const answer = await ask(target);
            assert.ok(status.includes(answer.status), `${target}: ${answer.status} ${answer.text().slice(0, 200)}`);
            assert.match(answer.json().detail, word, target);
        }
        // A model that everything of may be seen is none, either.
        const model = await askAs(url, who.admin)(`/tiles/heat:overall/${at(12)}.days`);
        assert.equal(model.status, 400);
        assert.match(model.json().detail, /model/);
    });

    await t.test('are for whom the map is', async () => {
        for (const role of ['analyst', 'wall', 'ingest'])
            for (const layer of ['hazard', 'visit', 'check', 'rental', 'worker'])
                for (const params of ['', '?weight=severity', "?filter=level='strict'", '?filter=residents%3E5']) {
                    const as = askAs(url, who[role]), target = (end) => `/tiles/heat:${layer}/${at(12)}.${end}${params}`, map = await as(target('png')), days = await as(target('days'));
                    if (map.status === 200) {
                        // What has no times is all that may differ.
                        assert.ok([200, 204].includes(days.status) || /has no time/.test(days.text()), `${role} ${target('days')}: ${days.text()}`);
                    } else {
                        assert.equal(days.status, map.status, `${role} ${target('days')}`);
                        assert.equal(days.json().detail, map.json().detail, `${role} ${target('days')}`);
                    }
                }
        assert.equal((await askAs(url, null)(`/tiles/heat:hazard/${at(12)}.days`)).status, 401);
        const towns = (await askAs(url, who.admin)('/stats/hazard?by=town')).json().groups.filter((g) => g.id && g.count), { id: town, count } = towns.sort((a, b) => b.count - a.count)[0];
        const officer = askAs(url, await token(city, 'officer', '--area', `town:${town}`));
        await known(officer);
        // One tile over the whole city, and nothing but the town's.
        const whole = await officer(`/tiles/heat:hazard/${at(8)}.days`), tile = readDayTile(whole.body);
        assert.equal(tile.sum.reduce((a, b) => a + b, 0), count);
    });

    await t.test('are new where a row is written', async () => {
        const admin = askAs(url, who.admin), near = `/tiles/heat:hazard/${at(15)}.days`, far = `/tiles/heat:hazard/15/${tileX(LON - 0.15, 15)}/${tileY(LAT, 15)}.days`, wide = `/tiles/heat:hazard/${at(9)}.days`;
        const tags = async () => Promise.all([near, far, wide].map(async (target) => (await admin(target)).headers.etag ?? ''));
        const total = (answer) => (answer.status === 204 ? 0 : readDayTile(answer.body).sum.reduce((a, b) => a + b, 0));
        const before = await tags(), had = total(await admin(wide)), { features: [row] } = (await admin('/collections/hazard/items?limit=1')).json();
        row.id = row.properties.id = 'test-of-days';
        row.geometry.coordinates = [LON, LAT];
        const written = await fetch(`${url}/collections/hazard/items`, { method: 'POST', headers: { authorization: `Bearer ${who.admin}`, 'content-type': 'application/geo+json' }, body: JSON.stringify({ type: 'Feature', id: row.id, geometry: row.geometry, properties: row.properties }) });
        assert.equal(written.status, 201, await written.text());
        const after = await tags();
        assert.notEqual(after[0], before[0]);
        assert.equal(after[1], before[1]);
        assert.notEqual(after[2], before[2]);
        assert.equal(total(await admin(wide)), had + 1);
    });
});
