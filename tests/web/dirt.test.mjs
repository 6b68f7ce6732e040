// The spoilt files that the synthetic city brings along: what real data is
// wrong in, and what import must make of each.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';

import { done, folder, onemap } from './onemap.mjs';

/** file, options, exit status, what stdout or stderr must say */
const CASES = [
    ['no_crs.geojson', [], 1, /give --crs/],
    ['no_crs.geojson', ['--crs', 'EPSG:4547'], 0, /taken 24, rejected 0/],
    ['no_prj.shp', [], 1, /no coordinate system said.*give --crs/],
    ['no_prj.shp', ['--crs', 'EPSG:4547'], 0, /taken 24, rejected 0/],
    ['swapped_axes.csv', [], 1, /x and y are swapped/],
    ['swapped_axes.csv', ['--x', 'lat', '--y', 'lon'], 0, /taken 24, rejected 0/],
    ['gbk_without_cpg.shp', [], 0, /taken 24, rejected 0/],
    ['duplicate_ids.csv', [], 0, /taken 20, rejected 4[^]*4 rejected: duplicate id/],
    ['empty_geometry.geojson', [], 0, /taken 1, rejected 2[^]*no geometry/],
    ['bowtie_grid.geojson', ['--as', 'unit:grid'], 0, /taken 2, rejected 0, geometry repaired 1/],
    ['gap_overlap.geojson', ['--as', 'unit:grid'], 0, /taken 3[^]*overlap: 1 pairs/],
    ['three_dates.csv', ['--time', 'opened'], 0, /taken 23, rejected 1/],
    ['null_island.csv', [], 0, /taken 23, rejected 1[^]*position 0,0/],
];

test('every spoilt file is survived, with a word that helps', async (t) => {
    const dir = await folder(t);
    await done('synth', path.join(dir, 'src'), '--scale', '0.001', '--quiet');
    for (const [i, [file, options, status, says]] of CASES.entries()) {
        await t.test(`${file} ${options.join(' ')}`, async () => {
            const city = path.join(dir, `city${i}`);
            const result = await onemap('import', city, 'layer',
                path.join(dir, 'src', 'dirt', file), ...options);
            assert.equal(result.status, status, result.stderr);
            assert.match(result.stdout + result.stderr, says);
            if (status === 0) assert.match(await done('verify', city), /all sound/);
            else assert.equal((await onemap('info', city)).status, 1, 'no city is left behind');
        });
    }
});

test('Chinese text comes out right whatever it came in as', async (t) => {
    const dir = await folder(t);
    await done('synth', path.join(dir, 'src'), '--scale', '0.001', '--quiet');
    const city = path.join(dir, 'city');
    await done('import', city, 'shop', path.join(dir, 'src', 'dirt', 'gbk_without_cpg.shp'));
    const rows = JSON.parse(await done('query', city, 'shop', '--limit', '3'));
    const text = JSON.stringify(rows.features.map((f) => f.properties));
    assert.match(text, /\p{Script=Han}{2}/u);
    assert.doesNotMatch(text, /\uFFFD/);
});
