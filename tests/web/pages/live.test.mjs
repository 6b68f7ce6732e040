// Which tiles a change touches.
//
// Plan
//   exactly those of the view that the cell and its reach meet, at every zoom,
//   as going through all tiles says
import assert from 'node:assert/strict';
import test from 'node:test';

import { tilesTouched } from '../../../web/pages/live.js';
import { random } from '../onemap.mjs';

const lon = (x, z) => x / 2 ** z * 360 - 180;
const lat = (y, z) => Math.atan(Math.sinh(Math.PI * (1 - 2 * y / 2 ** z))) * 180 / Math.PI;
const tileX = (l, z) => (l + 180) / 360 * 2 ** z;
const tileY = (l, z) => (1 - Math.asinh(Math.tan(l * Math.PI / 180)) / Math.PI) / 2 * 2 ** z;

test('tiles above and below a change, and no others', () => {
    const next = random(9);
    for (let i = 0; i < 300; i++) {
        const level = i % 5 ? 18 : 12, west = 113.5 + next(), south = 22.5 + next();
        const view = [west, south, west + 0.02 + next() * 0.1, south + 0.02 + next() * 0.1];
        const cells = Array.from({ length: 1 + i % 3 }, () =>
            [Math.floor(tileX(west - 0.02 + next() * 0.14, level)), Math.floor(tileY(south - 0.02 + next() * 0.14, level))]);
        const reachM = [0, 0, 400, 1600][i % 4], zoomMax = 15;
        const got = new Set(tilesTouched({ rows: 1, level, cells }, reachM, view, zoomMax).map((t) => `${t.z}/${t.x}/${t.y}`));
        assert.equal(got.size, tilesTouched({ rows: 1, level, cells }, reachM, view, zoomMax).length);
        const reachDeg = reachM / Math.cos(view[3] * Math.PI / 180) / (2 * Math.PI * 6378137) * 360;
        for (let z = 0; z <= zoomMax; z++)
            for (let x = Math.floor(tileX(view[0], z)); x <= Math.floor(tileX(view[2], z)); x++)
                for (let y = Math.floor(tileY(view[3], z)); y <= Math.floor(tileY(view[1], z)); y++) {
                    // Sides of the cell, widened, against those of the tile, both in the view; a hair is left to rounding.
                    const meets = (slack) => cells.some(([cx, cy]) => {
                        const w = Math.max(lon(cx, level) - reachDeg, view[0]), e = Math.min(lon(cx + 1, level) + reachDeg, view[2]);
                        const up = 2 ** 18, grow = reachDeg / 360 * up;
                        const n = Math.max(tileY(lat(cy, level), 18) - grow, tileY(view[3], 18)), s = Math.min(tileY(lat(cy + 1, level), 18) + grow, tileY(view[1], 18));
                        return w <= e && n <= s && w < lon(x + 1, z) - slack && e > lon(x, z) + slack &&
                            n < (y + 1) * 2 ** (18 - z) - slack * 700 && s > y * 2 ** (18 - z) + slack * 700;
                    });
                    if (meets(1e-7)) assert.ok(got.has(`${z}/${x}/${y}`), `missing ${z}/${x}/${y} of ${cells} at ${level}`);
                    if (got.has(`${z}/${x}/${y}`)) assert.ok(meets(-1e-7), `needless ${z}/${x}/${y} of ${cells} at ${level}`);
                }
    }
});

test('the world is one cell', () => {
    const tiles = tilesTouched({ rows: 0, level: 0, cells: [[0, 0]] }, 0, [113.7, 22.9, 113.8, 23], 10);
    assert.deepEqual([...new Set(tiles.map((t) => t.z))], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    assert.deepEqual(tilesTouched({ rows: 1, level: 18, cells: [[0, 0]] }, 0, [113.7, 22.9, 113.8, 23], 10), []);
});
