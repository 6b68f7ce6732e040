// /tiles/LAYER/z/x/y.days: which rows lie in each pixel on each day.
//
// Plan
//   counts by day of a tile are those that /stats tells of its box
//   any period added up and drawn is the server's picture of that period, at
//     scales of dots and of pixels that stand for many, finer ones, filters, by
//     classes of another column; what is asked otherwise and means the same is
//     the same tile
//   bytes that are no tile, and questions that have none, are refused
//   who may not see the picture of a period may not see its days, in the same
//     words; an area is an area; a column that is not seen tells no rows apart
//   a row that is written makes the tiles new that it is drawn in, and no other
import assert from 'node:assert/strict';
import test from 'node:test';

import { Sums } from '../../web/pages/analyst/daytile.js';
import { DotPainter, dotOf, readDotTile } from '../../web/pages/analyst/dottile.js';
import { boxOf, checkAsMap, checkBroken, checkNews, checkRefused, dateOf, dayOf, hazardsServed, officerOfMost } from './days_sample.mjs';
import { random } from './onemap.mjs';
import { decode, farness } from './png.mjs';
import { askAs } from './roles.mjs';
import { tileX, tileY } from './sample.mjs';

const sumsOf = (tile, from = -Infinity, to = Infinity) => new Sums(tile, tile.cells.length).set(from, to);
/** All that lies in the tile itself, by day. */
function byDay(tile) {
    const days = new Map();
    for (let d = 0; d < tile.days; d++)
        for (let i = tile.at[d]; i < tile.at[d + 1]; i++) {
            const cell = tile.cells[tile.cell[i]] % (tile.columns * tile.rows), x = cell % tile.columns - tile.left, y = Math.floor(cell / tile.columns) - tile.top;
            if (x >= 0 && y >= 0 && x < tile.side && y < tile.side) days.set(tile.first + d, (days.get(tile.first + d) ?? 0) + tile.sum[i]);
        }
    return [...days].sort((a, b) => a[0] - b[0]);
}

test('points by day', async (t) => {
    const served = await hazardsServed(t, ['admin', 'analyst', 'wall', 'ingest']), { url, as, ask, get, LON, LAT, at } = served, next = random(23);
    const read = async (target, by = ask) => {
        const answer = await by(target);
        assert.equal(answer.status, 200, `${target}: ${answer.text().slice(0, 300)}`);
        assert.equal(answer.headers['content-type'], 'application/vnd.onemap.days');
        return readDotTile(answer.body);
    };

    await t.test('are what is counted', async () => {
        for (const [z, params] of [[8, ''], [12, ''], [15, 'filter=severity%3E=3'], [11, 'datetime=2023-02-01/2023-03-31&by=status']]) {
            const query = new URLSearchParams(params);
            query.delete('by');
            const { groups } = await get(`/stats/hazard?by=day&bbox=${boxOf(z, tileX(LON, z), tileY(LAT, z))}&${query}`);
            assert.ok(groups.length > 0);
            assert.deepEqual(byDay(await read(`/tiles/hazard/${at(z)}.days?${params}`)), groups.map((g) => [dayOf(g.id), g.count]).sort((a, b) => a[0] - b[0]), `z${z} ${params}`);
        }
        const a = await ask(`/tiles/hazard/${at(12)}.days?filter=severity%3E=3%20AND%20status%3C%3E'closed'`), b = await ask(`/tiles/hazard/${at(12)}.days?filter=status%20%3C%3E%20'closed'%20and%20severity%20%3E=%203&palette=dark`);
        assert.equal(a.headers.etag, b.headers.etag);
        assert.equal((await ask(`/tiles/hazard/${at(12)}.days?palette=light`, { headers: { 'if-none-match': a.headers.etag } })).status, 200);
        assert.equal((await ask('/tiles/hazard/12/0/0.days')).status, 204);
    });

    await t.test('are the picture of any period', async (t) => {
        const seen = new Set(), whole = new Map();
        let all = 0;
        for (const [z, scale, palette, params] of [[7, 1, 'dark', ''], [9, 1, 'light', ''], [10, 1, 'dark', 'filter=severity%3E=2'], [10, 2, 'dark', ''], [12, 1, 'light', 'by=status'], [12, 2, 'light', ''], [15, 1, 'dark', ''], [17, 2, 'dark', ''], [9, 1, 'dark', 'by=department']]) {
            const fine = scale > 1 ? '@2x' : '', tile = await read(`/tiles/hazard/${at(z)}${fine}.days?size=512&palette=${palette}&${params}`), painter = new DotPainter(tile), sums = new Sums(tile, tile.cells.length);
            assert.equal(tile.side, 512 * scale);
            if (!whole.has(params)) {
                const query = new URLSearchParams(params);
                query.delete('by');
                whole.set(params, (await get(`/stats/hazard?by=day&${query}`)).groups.map((g) => [dayOf(g.id), g.count]));
            }
            for (const length of [1, 12, 90]) {
                const from = dayOf('2023-01-03') + Math.floor(next() * 60), to = from + length, count = whole.get(params).reduce((n, [d, c]) => n + (d >= from && d < to ? c : 0), 0);
                const mine = new Uint32Array(tile.side ** 2), what = `z${z}${fine} ${palette} ${params} ${length} days, dots of ${dotOf(tile, count)}`;
                seen.add(dotOf(tile, count));
                painter.paint(sums.set(from, to), count, mine);
                const { status, body } = await ask(`/tiles/hazard/${at(z)}${fine}.png?size=512&palette=${palette}&${params}&datetime=${dateOf(from)}/${dateOf(to - 1)}`), { rgba } = decode(body), bytes = new Uint8Array(mine.buffer);
                assert.equal(status, 200);
                let far = 0, ink = 0, painted = 0;
                for (let k = 0; k < rgba.length; k += 4) {
                    const d = farness(rgba, bytes, k);
                    far += d > 40;
                    ink += (bytes[k + 3] - rgba[k + 3]) / 255;
                    painted += rgba[k + 3] > 0;
                }
                // A palette picture has the colours that are nearest: where dots lie over each other they may be others.
                assert.ok(far <= 0.07 * painted + 3 && Math.abs(ink) <= 0.05 * painted + 3, `${what}: ${far} of ${painted} pixels, ${ink.toFixed(1)} of ink`);
                all += painted;
            }
        }
        t.diagnostic(`dots of ${[...seen].sort((a, b) => a - b)} half pixels`);
        assert.ok(all > 30000);
        assert.ok(seen.has(0) && Math.max(...seen) >= 11 && seen.size >= 4, 'all kinds of dots, and pixels that stand for many');
    });

    await t.test('are refused with a reason', async () => {
        await checkRefused(ask, [
            [`/tiles/address/${at(12)}.days`, [400], /no time/], [`/tiles/nix/${at(12)}.days`, [404], /./], [`/tiles/grid/${at(12)}.days`, [400], /points/], [`/tiles/choropleth:grid/${at(12)}.days?filter=1=1`, [400, 404], /./], [`/tiles/base/${at(12)}.days`, [400], /points/],
            [`/tiles/hazard/${at(12)}.days?filter=nothing=1`, [400], /nothing/], [`/tiles/hazard/${at(12)}.days?by=nothing`, [400], /nothing/], [`/tiles/hazard/${at(12)}.days?size=700`, [400], /size/], [`/tiles/hazard/${at(12)}.days?weight=severity`, [400], /weight/],
            [`/tiles/hazard/12/4096/0.days`, [404], /Z\/X\/Y/], [`/tiles/hazard/${at(12)}.days?palette=blue`, [400], /palette/], [`/tiles/hazard/${at(12)}.days?datetime=2023`, [400], /datetime/]]);
        const bytes = new Uint8Array((await ask(`/tiles/hazard/${at(13)}.days`)).body);
        checkBroken(bytes, readDotTile, { cuts: 100, stride: 97, times: 500, head: 80, next, check: (tile) => {
            assert.ok(tile.cells.every((c) => c < tile.classes.length * tile.columns * tile.rows) && tile.cell.every((c) => c < tile.cells.length));
            new DotPainter(tile).paint(sumsOf(tile), 9, new Uint32Array(tile.side ** 2));
        } });
    });

    await t.test('are for whom the picture is', async () => {
        for (const role of ['analyst', 'wall', 'ingest'])
            for (const layer of ['hazard', 'visit', 'check', 'rental', 'worker', 'tip', 'appeal'])
                for (const params of ['', 'by=reporter', 'by=worker', "filter=status='closed'"])
                    await checkAsMap(as[role], (end) => `/tiles/${layer}/${at(12)}.${end}?datetime=2023-02-01/2023-03-01&${params}`, role);
        assert.equal((await askAs(url, null)(`/tiles/hazard/${at(12)}.days`)).status, 401);
        const { officer, count } = await officerOfMost(served, as.admin);
        const tile = await read(`/tiles/hazard/${at(7)}.days`, officer);
        assert.equal(byDay(tile).reduce((n, [, c]) => n + c, 0), count);
    });

    await t.test('are new where a row is drawn', async () => {
        await checkNews(served, 'hazard', 'test-of-dots', async (target) => byDay(await read(target, as.admin)).reduce((n, [, c]) => n + c, 0));
    });
});
