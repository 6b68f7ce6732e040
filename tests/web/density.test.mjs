// onemap density: the GeoTIFF, read back by GDAL's own programs.
//
// Plan
//   a raster has the city's projection, whole cells, unit, nodata, overviews;
//   its integral is the number of rows, to the edge and for one point; values
//   are those of a sum over the rows; weights, decay, windows and filters count
//   as they say; models and ratios know where nothing is known; wrong options
//   name themselves and leave no file.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { done, folder, onemap, random } from './onemap.mjs';

const run = promisify(execFile);
const DAY = 86400e3, NOW = Date.UTC(2023, 5, 26, 16);

/** Rows around Dongguan: {lon, lat, weight, kind, at}. */
function makeRows(n, seed) {
    const next = random(seed);
    return Array.from({ length: n }, (_, i) => ({
        id: `r${i}`,
        lon: 113.75 + 0.1 * (next() + next() - 1) + (i % 3) * 0.05,
        lat: 22.95 + 0.06 * (next() + next() - 1),
        weight: Math.floor(next() * 5),
        kind: next() < 0.3 ? 'a' : 'b',
        at: new Date(NOW - Math.floor(next() * 90) * DAY).toISOString(),
    }));
}

async function makeCity(t, rows, more = {}) {
    const dir = await folder(t), city = path.join(dir, 'city');
    const csv = path.join(dir, 'rows.csv');
    await writeFile(csv, 'id,lon,lat,weight,kind,at\n' + rows.map((r) =>
        `${r.id},${r.lon},${r.lat},${r.weight},${r.kind},${r.at}\n`).join(''));
    await done('import', city, 'place', csv, '--quiet');
    const manifest = path.join(city, 'city.json');
    const json = JSON.parse(await readFile(manifest, 'utf8'));
    Object.assign(json, { clock: new Date(NOW).toISOString() }, more);
    await writeFile(manifest, JSON.stringify(json));
    return { dir, city, tif: path.join(dir, 'out.tif') };
}

async function info(tif) {
    const { stdout } = await run('gdalinfo', ['-json', tif], { maxBuffer: 1 << 26 });
    return JSON.parse(stdout);
}

/** Values, row by row, with the place of the corner. */
async function read(tif, dir) {
    const head = await info(tif), raw = path.join(dir, 'raw.bin');
    await run('gdal_translate', ['-q', '-of', 'ENVI', tif, raw]);
    const bytes = await readFile(raw);
    const [columns, rows] = head.size;
    const value = new Float32Array(bytes.buffer.slice(bytes.byteOffset,
        bytes.byteOffset + 4 * columns * rows));
    const [west, cell, , north] = head.geoTransform;
    return { head, value, columns, rows, west, north, cell };
}

function mass(raster) {
    let sum = 0;
    for (const v of raster.value) if (!Number.isNaN(v)) sum += v;
    return sum * raster.cell * raster.cell / 1e6;
}

/** Rows in EPSG:4547, by GDAL; or back from there. */
async function project(rows, back = false) {
    const [from, to] = back ? ['EPSG:4547', 'OGC:CRS84'] : ['OGC:CRS84', 'EPSG:4547'];
    const child = execFile('gdaltransform', ['-s_srs', from, '-t_srs', to, '-output_xy']);
    const lines = new Promise((resolve) => {
        let text = '';
        child.stdout.on('data', (part) => { text += part; });
        child.on('close', () => resolve(text.trim().split('\n')));
    });
    child.stdin.end(rows.map((r) => `${r.lon} ${r.lat}\n`).join(''));
    return (await lines).map((line) => line.split(' ').map(Number));
}

const SHAPE = {
    quartic: (q) => 3 / Math.PI * (1 - q) ** 2,
    epanechnikov: (q) => 2 / Math.PI * (1 - q),
    gaussian: (q) => 4.5 / Math.PI / (1 - Math.exp(-4.5)) * Math.exp(-4.5 * q),
};

/** Largest difference to a sum over the rows in the projection's plane, over
 *  every n-th cell, in parts of the largest value. */
function worst(raster, at, weight, kernel, bandwidth, every) {
    let most = 0, off = 0;
    for (let i = 0; i < raster.value.length; i += every) {
        const x = raster.west + (i % raster.columns + 0.5) * raster.cell;
        const y = raster.north - (Math.floor(i / raster.columns) + 0.5) * raster.cell;
        let sum = 0;
        at.forEach(([px, py], k) => {
            const q = ((px - x) ** 2 + (py - y) ** 2) / bandwidth ** 2;
            if (q < 1) sum += weight(k) * SHAPE[kernel](q);
        });
        sum *= 1e6 / bandwidth ** 2;
        most = Math.max(most, sum);
        off = Math.max(off, Math.abs(sum - raster.value[i]));
    }
    return off / most;
}

test('a raster says what it is', async (t) => {
    const c = await makeCity(t, makeRows(500, 1), { crs: 'EPSG:4547', synthetic: true });
    await done('density', c.city, 'place', '--kernel', 'epanechnikov', '--half-life', 30,
        '--where', "kind = 'b'", '--out', c.tif, '--quiet');
    const head = await info(c.tif);
    assert.match(JSON.stringify(head.coordinateSystem), /4547/);
    assert.equal(head.metadata.IMAGE_STRUCTURE.LAYOUT, 'COG');
    const about = head.metadata[''];
    assert.equal(about.LAYER, 'place');
    assert.equal(about.KERNEL, 'epanechnikov');
    assert.equal(about.BANDWIDTH_M, '800');
    assert.equal(about.HALF_LIFE_DAYS, '30');
    assert.equal(about.AS_OF, '2023-06-27T00:00:00+08:00');
    assert.equal(about.SYNTHETIC, 'true');
    assert.equal(about.FILTER, "kind = 'b'");
    const [band] = head.bands;
    assert.equal(band.type, 'Float32');
    assert.equal(band.unit, 'per km2');
    assert.match(band.description, /place, per km2/);
    assert.equal(String(band.noDataValue), 'NaN');
    assert.deepEqual([head.geoTransform[1], head.geoTransform[5]], [50, -50]);
    assert.equal(head.geoTransform[0] % 50, 0);
    // A city that names none gets its UTM zone.
    const plain = await makeCity(t, makeRows(20, 2));
    await done('density', plain.city, 'place', '--out', plain.tif, '--quiet');
    assert.match(JSON.stringify((await info(plain.tif)).coordinateSystem), /32649/);
});

test('values are those of a sum over the rows', async (t) => {
    const rows = makeRows(800, 3);
    const c = await makeCity(t, rows, { crs: 'EPSG:4547' });
    const at = await project(rows);
    for (const kernel of ['quartic', 'gaussian', 'epanechnikov']) {
        await done('density', c.city, 'place', '--kernel', kernel, '--bandwidth', 1500,
            '--weight', 'weight', '--cell', 100, '--out', c.tif, '--quiet');
        const raster = await read(c.tif, c.dir);
        const off = worst(raster, at, (k) => rows[k].weight, kernel, 1500, 97);
        assert.ok(off < 0.005, `${kernel}: ${off}`);
        const weight = rows.reduce((sum, r) => sum + r.weight, 0);
        assert.ok(Math.abs(mass(raster) / weight - 1) < 0.005, `${kernel}: ${mass(raster)}`);
    }
});

test('a cell is what explain says of its middle', async (t) => {
    const c = await makeCity(t, makeRows(2000, 4), { crs: 'EPSG:4547' });
    for (const kernel of ['quartic', 'gaussian', 'epanechnikov']) {
        const options = ['--kernel', kernel, '--half-life', 20, '--weight', 'weight'];
        await done('density', c.city, 'place', ...options, '--out', c.tif, '--quiet');
        const raster = await read(c.tif, c.dir);
        const most = raster.value.reduce((a, b) => Math.max(a, b), 0);
        const cells = [...raster.value.keys()].filter((i) => raster.value[i] > most / 50)
            .filter((_, i, all) => i % Math.ceil(all.length / 4) === 0);
        const middles = await project(cells.map((i) => ({
            lon: raster.west + (i % raster.columns + 0.5) * raster.cell,
            lat: raster.north - (Math.floor(i / raster.columns) + 0.5) * raster.cell,
        })), true);
        for (const [k, [lon, lat]] of middles.entries()) {
            const said = JSON.parse(await done('explain', c.city, 'place', `${lon},${lat}`, ...options,
                '--format', 'json'));
            const off = Math.abs(said.value - raster.value[cells[k]]) / most;
            assert.ok(off < 0.005, `${kernel} ${lon},${lat}: ${off}`);
        }
        assert.ok(cells.length > 2);
    }
});

test('filters, windows and decay count as they say', async (t) => {
    const rows = makeRows(700, 5);
    const c = await makeCity(t, rows, { crs: 'EPSG:4547' });
    const sum = async (...options) => {
        await done('density', c.city, 'place', '--cell', 150, ...options, '--out', c.tif, '--quiet');
        return mass(await read(c.tif, c.dir));
    };
    const close = (got, want) => assert.ok(Math.abs(got - want) <= 0.005 * want, `${got} ${want}`);
    const count = (take) => rows.filter(take).length;
    close(await sum(), 700);
    close(await sum('--where', "kind = 'a'"), count((r) => r.kind === 'a'));
    // Half open, in the city's zone: from one midnight to another.
    const from = NOW - 40 * DAY, to = NOW - 20 * DAY;
    close(await sum('--time', `${new Date(from).toISOString()}/${new Date(to).toISOString()}`),
        count((r) => Date.parse(r.at) >= from && Date.parse(r.at) < to));
    const aged = (now, days) => rows.reduce((s, r) => Date.parse(r.at) > now ? s
        : s + 2 ** (-(now - Date.parse(r.at)) / DAY / days), 0);
    close(await sum('--half-life', 10), aged(NOW, 10));
    close(await sum('--half-life', 10, '--at', new Date(to).toISOString()), aged(to, 10));
    // A window with nothing in it is a city without density.
    close(1 + await sum('--time', '2030-01-01/2030-02-01'), 1);
});

test('one point, all rows in one place, cells wider than the bandwidth', async (t) => {
    const [one] = makeRows(1, 7);
    for (const rows of [[one], Array.from({ length: 40 }, (_, i) => ({ ...one, id: `s${i}` }))]) {
        const c = await makeCity(t, rows);
        for (const more of [[], ['--cell', 5000], ['--kernel', 'gaussian'], ['--bandwidth', 10]]) {
            await done('density', c.city, 'place', ...more, '--out', c.tif, '--quiet');
            const got = mass(await read(c.tif, c.dir)) / rows.length;
            assert.ok(Math.abs(got - 1) < 0.005, `${more}: ${got}`);
        }
        const rule = await onemap('density', c.city, 'place', '--bandwidth', 'silverman', '--out', c.tif);
        assert.equal(rule.status, 2);
        assert.match(rule.stderr, /--bandwidth: silverman.*one place/);
    }
});

test('a ratio is unknown where too little is exposed', async (t) => {
    const rows = makeRows(600, 9);
    const exposures = {
        house: { layer: 'place', filter: "kind = 'b'", scale: 1000, floor: 10,
            unit: '每千', unit_en: 'per 1,000 houses', title: '屋', title_en: 'houses' },
    };
    const c = await makeCity(t, rows, { crs: 'EPSG:4547', exposures });
    await done('density', c.city, 'place', '--per', 'house', '--where', "kind = 'b'", '--cell', 200,
        '--bandwidth', 3000, '--out', c.tif, '--quiet');
    const raster = await read(c.tif, c.dir);
    assert.equal(raster.head.bands[0].unit, 'per 1,000 houses');
    const known = [...raster.value].filter((v) => !Number.isNaN(v));
    assert.ok(known.length > 100 && known.length < raster.value.length);
    // The same rows above and below: 1,000 wherever it is known.
    for (const v of known) assert.ok(Math.abs(v - 1000) < 0.1, String(v));
});

test('Silverman bandwidth is told and taken', async (t) => {
    const rows = makeRows(301, 11);
    const c = await makeCity(t, rows, { crs: 'EPSG:4547' });
    const { status, stderr } = await onemap('density', c.city, 'place', '--bandwidth', 'silverman', '--out', c.tif);
    assert.equal(status, 0, stderr);
    const at = await project(rows), n = at.length;
    const mean = [0, 1].map((k) => at.reduce((s, p) => s + p[k], 0) / n);
    const far = at.map(([x, y]) => Math.hypot(x - mean[0], y - mean[1])).sort((a, b) => a - b);
    const sd = Math.sqrt(far.reduce((s, d) => s + d * d, 0) / n);
    const want = 0.9 * Math.min(sd, Math.sqrt(1 / Math.log(2)) * far[(n - 1) / 2]) * n ** -0.2;
    const got = Number((await info(c.tif)).metadata[''].BANDWIDTH_M);
    assert.ok(Math.abs(got / want - 1) < 5e-5, `${got} ${want}`);
    assert.match(stderr, new RegExp(got.toFixed(3)));
});

test('wrong options name themselves and leave no file', async (t) => {
    const c = await makeCity(t, makeRows(50, 13));
    for (const [says, status, ...options] of [
        ['--bandwidth', 2, '--bandwidth', '0'], ['--bandwidth', 2, '--bandwidth', '-3'],
        ['--bandwidth', 2, '--bandwidth', 'nan'], ['--kernel', 2, '--kernel', 'box'],
        ['--where', 2, '--where', 'nope = 1'], ['--time', 2, '--time', 'soon'],
        ['--at', 2, '--at', 'soon'], ['--half-life', 2, '--half-life', '0'],
        ['--weight', 2, '--weight', 'kind'], ['--weight', 2, '--weight', 'nope'],
        ['--per', 2, '--per', 'nobody'], ['--cell', 2, '--cell', '0'], ['--cell', 2, '--cell', '0.01'],
        ['--crs', 2, '--crs', 'EPSG:4326'], ['--crs', 2, '--crs', 'EPSG:27700'],
        ['--bbox', 2, '--bbox', '1,2,3'], ['--bbox', 2, '--bbox', '2,1,1,2'],
    ]) {
        const got = await onemap('density', c.city, 'place', ...options, '--out', c.tif);
        assert.equal(got.status, status, `${options}: ${got.stderr}`);
        assert.ok(got.stderr.includes(says), `${options}: ${got.stderr}`);
        assert.equal(got.stderr.trim().split('\n').length, 1);
    }
    const missing = await onemap('density', c.city, 'nothing', '--out', c.tif);
    assert.equal(missing.status, 1);
    assert.match(missing.stderr, /nothing/);
    assert.equal((await onemap('density', c.city, 'place')).status, 2);
    assert.equal((await onemap('density', c.city, 'place', '--out', path.join(c.dir, 'no/x.tif'))).status, 1);
    assert.deepEqual((await readdir(c.dir)).sort(), ['city', 'rows.csv']);
});
