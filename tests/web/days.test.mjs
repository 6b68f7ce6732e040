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
import { boxOf, checkAsMap, checkNews, checkRefused, dayOf, hazardsServed, officerOfMost } from './days_sample.mjs';
import { decode } from './png.mjs';
import { askAs } from './roles.mjs';

const HALF_YEAR = 'datetime=2022-12-29/2023-06-26';

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
    const served = await hazardsServed(t, ['admin', 'analyst', 'wall', 'ingest']), { url, as, ask, at } = served;
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
            const own = new Map(groups.map((g) => [dayOf(g.id), weight ? g.sum : g.count]));
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
        await checkRefused(ask, [
            [`/tiles/heat:overall/${at(12)}.days`, [400, 401, 404], /./], [`/tiles/heat:address/${at(12)}.days`, [400], /no time/], [`/tiles/heat:nix/${at(12)}.days`, [404], /./],
            [`/tiles/heat:hazard/${at(12)}@2x.days`, [400], /@2x/], [`/tiles/heat:hazard/${at(12)}.days?per=house`, [400], /per/],
            [`/tiles/heat:hazard/${at(12)}.days?halflife=30`, [400], /halflife/], [`/tiles/heat:hazard/${at(12)}.days?filter=nothing=1`, [400], /nothing/], [`/tiles/heat:hazard/${at(12)}.days?bandwidth=1`, [400], /bandwidth/],
            [`/tiles/heat:hazard/12/4096/0.days`, [404], /Z\/X\/Y\.days/], [`/tiles/heat:hazard/${at(12)}.day`, [400], /\.days/], [`/tiles/heat:hazard/${at(12)}.days?weight=status`, [400], /weight/]]);
        // A model that everything of may be seen is none, either.
        const model = await as.admin(`/tiles/heat:overall/${at(12)}.days`);
        assert.equal(model.status, 400);
        assert.match(model.json().detail, /model/);
    });

    await t.test('are for whom the map is', async () => {
        for (const role of ['analyst', 'wall', 'ingest'])
            for (const layer of ['hazard', 'visit', 'check', 'rental', 'worker'])
                for (const params of ['', '?weight=severity', "?filter=level='strict'", '?filter=residents%3E5'])
                    // What has no times is all that may differ.
                    await checkAsMap(as[role], (end) => `/tiles/heat:${layer}/${at(12)}.${end}${params}`, role, /has no time/);
        assert.equal((await askAs(url, null)(`/tiles/heat:hazard/${at(12)}.days`)).status, 401);
        const { officer, count } = await officerOfMost(served, as.admin);
        // One tile over the whole city, and nothing but the town's.
        const whole = await officer(`/tiles/heat:hazard/${at(8)}.days`), tile = readDayTile(whole.body);
        assert.equal(tile.sum.reduce((a, b) => a + b, 0), count);
    });

    await t.test('are new where a row is written', async () => {
        await checkNews(served, 'heat:hazard', 'test-of-days', async (target) => {
            const { status, body } = await as.admin(target);
            return status === 204 ? 0 : readDayTile(body).sum.reduce((a, b) => a + b, 0);
        });
    });
});
