// The HTTP server: what it answers, to whom, and in what words.
//
// Plan
//   every route answers, with the heads that CONTRACT promises
//   counts over HTTP are those that the command line gives, and add up
//   validators: 304, gzip, HEAD; tiles are pictures of the right size
//   wrong questions: 400 and 404 that name the parameter, CORS on them too
//   addresses that could mean two things, methods, bodies: raw sockets
//   a commit beside it is seen, a stop finishes what was begun
//   what costs too much is refused in words; heavy work keeps nobody waiting
//   a step of time is one wherever there is time, whatever columns are called
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import test from 'node:test';
import zlib from 'node:zlib';

import { ask as get } from './ask.mjs';
import { done, folder, random } from './onemap.mjs';
import { raw, serve, statusOf } from './server.mjs';
import { untilWithin } from './until.mjs';

const until = untilWithin(120e3), soon = untilWithin(120e3, 5);
const WEST = 113.5, SOUTH = 22.7, STEP = 0.1, SIDE = 4, ROWS = 6000;

function squares() {
    const features = [];
    for (let row = 0; row < SIDE; row++)
        for (let col = 0; col < SIDE; col++) {
            const x = [WEST + col * STEP, WEST + (col + 1) * STEP];
            const y = [SOUTH + row * STEP, SOUTH + (row + 1) * STEP];
            features.push({
                type: 'Feature', properties: { id: `U${row}${col}`, name: `单元${row}${col}` },
                geometry: { type: 'Polygon', coordinates: [[[x[0], y[0]], [x[1], y[0]], [x[1], y[1]], [x[0], y[1]], [x[0], y[0]]]] },
            });
        }
    return JSON.stringify({ type: 'FeatureCollection', features });
}

function points(seed) {
    const next = random(seed), lines = ['lon,lat,id,kind,weight,at'];
    for (let i = 0; i < ROWS; i++) {
        const day = String(1 + i % 28).padStart(2, '0');
        lines.push([(WEST + next() * SIDE * STEP).toFixed(6), (SOUTH + next() * SIDE * STEP).toFixed(6),
            `P${String(i).padStart(5, '0')}`, ['shop', 'home', '工厂'][i % 3], i % 10, `2023-03-${day}T12:00:00+08:00`].join(','));
    }
    return lines.join('\n') + '\n';
}

async function makeCity(t) {
    const dir = await folder(t), city = path.join(dir, 'city');
    await writeFile(path.join(dir, 'units.geojson'), squares());
    await writeFile(path.join(dir, 'points.csv'), points(7));
    await done('import', city, 'square', path.join(dir, 'units.geojson'), '--as', 'unit:square', '--id', 'id');
    await done('import', city, 'place', path.join(dir, 'points.csv'), '--x', 'lon', '--y', 'lat', '--id', 'id', '--time', 'at');
    return { dir, city };
}

/** Width, height and colour type of a PNG. */
function png(bytes) {
    assert.equal(bytes.subarray(0, 8).toString('latin1'), '\x89PNG\r\n\x1a\n');
    return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20), colour: bytes[25] };
}

const Z = 11, X = Math.floor((113.7 + 180) / 360 * 2 ** Z);
const Y = Math.floor((1 - Math.asinh(Math.tan(22.9 * Math.PI / 180)) / Math.PI) / 2 * 2 ** Z);

test('the server', async (t) => {
    const { dir, city } = await makeCity(t);
    const server = await serve(t, city);
    const at = (target, options) => get(server.url + target, options);

    await t.test('every route answers as promised', async () => {
        for (const [target, type] of [
            ['/health', 'application/json'], ['/metrics', 'text/plain; version=0.0.4; charset=utf-8'],
            ['/?f=json', 'application/json'], ['/collections', 'application/json'],
            ['/collections/place', 'application/json'], ['/collections/place/items?limit=3', 'application/geo+json'],
            ['/collections/place/items/P00007', 'application/geo+json'],
            ['/stats/place?by=square', 'application/json'], ['/legend/heat:place.json', 'application/json'],
            ['/tiles/heat:place.json', 'application/json'], [`/tiles/heat:place/${Z}/${X}/${Y}.png`, 'image/png'],
            ['/value?name=heat:place&lon=113.7&lat=22.9', 'application/json'],
        ]) {
            const answer = await at(target);
            assert.equal(answer.status, 200, `${target}: ${answer.body}`);
            assert.equal(answer.headers['content-type'], type, target);
            assert.equal(answer.headers['access-control-allow-origin'], undefined, target);
            assert.equal(answer.headers['x-content-type-options'], 'nosniff', target);
            assert.match(answer.headers.etag, /items\/P/.test(target) ? /^"\d+"$/ : /^(W\/)?"[0-9a-f]{16}(-g)?"$/, target);
            assert.match(answer.headers['cache-control'], /no-cache|no-store/, target);
            if (!/^\/(health|metrics)/.test(target))
                assert.match(answer.headers['data-sequence'], /^\d+$/, target);
        }
    });

    await t.test('people get pages, programs JSON', async () => {
        const people = await at('/', { headers: { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } });
        assert.match(people.headers['content-type'], /^text\/html/);
        assert.match(people.headers['content-security-policy'], /default-src 'self'/);
        assert.equal((await at('/')).json().links[0].rel, 'self');
        const page = await at('/analyst');
        assert.match(page.body.toString(), /<html lang="zh-CN">/);
        assert.doesNotMatch(page.headers['content-security-policy'], /unsafe|\*|https?:/);
        for (const file of ['start.js', 'analyst/app.js', 'style.css', 'maplibre/maplibre-gl.mjs', 'maplibre/maplibre-gl-worker.mjs'])
            assert.equal((await at(`/pages/${file}`)).status, 200, file);
        for (const file of ['package.json', 'node_modules', '.gitignore', 'nothing.js', 'maplibre/package.json'])
            assert.equal((await at(`/pages/${file}`)).status, 404, file);
    });

    await t.test('pages open whatever others hang on their address, data does not', async () => {
        const browser = { headers: { Accept: 'text/html,*/*;q=0.8' } };
        const strange = ['from=singlemessage&isappinstalled=0', 'utm_source=a&utm_source=b', 'fbclid=%D6%D0', '=1', 'v=x', 'x=%zz',
            Array.from({ length: 40 }, (_, i) => `p${i}=1`).join('&')];
        for (const page of ['/', '/wall', '/analyst', '/community', '/sheet', '/embed']) {
            const plain = await at(page, browser);
            assert.match(plain.headers['content-type'], /^text\/html/, page);
            for (const query of strange) {
                const answer = await at(`${page}?${query}`, browser);
                assert.equal(answer.status, 200, `${page}?${query}`);
                assert.deepEqual(answer.body, plain.body, `${page}?${query}`);
            }
        }
        for (const target of ['/', '/?f=json', '/collections', '/health', '/pages/start.js', '/embed.js'])
            for (const query of strange.filter((one) => one !== 'v=x')) {
                const answer = await at(`${target}${target.includes('?') ? '&' : '?'}${query}`);
                assert.ok([400, 413, 414].includes(answer.status), `${target} ${query}: ${answer.status}`);
                assert.ok(answer.json().detail, target);
            }
        assert.match((await at('/?f=json&from=x')).json().detail, /no parameter from/);
        assert.match((await at('/?f=json&a=1&a=1')).json().detail, /given twice/);
    });

    await t.test('counts agree with the command line and add up', async () => {
        const stats = (await at('/stats/place?by=square&sum=weight')).json();
        const rows = (await done('query', city, 'place', '--by', 'square', '--sum', 'weight')).trim().split(/\r?\n/).slice(1);
        assert.equal(stats.count, ROWS);
        assert.equal(stats.groups.filter((g) => g.id !== null).length, SIDE * SIDE);
        assert.equal(stats.groups.reduce((n, g) => n + g.count, 0), ROWS);
        assert.equal(stats.groups.reduce((n, g) => n + g.sum, 0), stats.sum);
        assert.equal(stats.groups.find((g) => g.id === 'U00').name, '单元00');
        for (const row of rows) {
            const [id] = row.split(',');
            const group = stats.groups.find((g) => (g.id ?? '') === id.replace(/^"|"$/g, ''));
            assert.ok(row.split(',').includes(String(group.count)), `${row} and ${JSON.stringify(group)}`);
        }
        const filter = encodeURIComponent("kind = '工厂' AND weight >= 5");
        const some = (await at(`/stats/place?by=kind&filter=${filter}`)).json();
        assert.equal(some.count, Number((await done('query', city, 'place', '--where', "kind = '工厂' AND weight >= 5", '--count')).match(/\d+/)[0]));
        assert.deepEqual(some.groups.filter((g) => g.count).map((g) => g.id), ['工厂']);
        const days = (await at('/stats/place?by=day&datetime=2023-03-05/2023-03-07')).json();
        assert.deepEqual(days.groups.filter((g) => g.count).map((g) => g.id.slice(0, 10)), ['2023-03-05', '2023-03-06', '2023-03-07']);
        const half = (await at(`/stats/place?bbox=${WEST},${SOUTH},${WEST + 2 * STEP},${SOUTH + 4 * STEP}&by=square`)).json();
        const rest = (await at(`/stats/place?bbox=${WEST + 2 * STEP},${SOUTH},${WEST + 4 * STEP},${SOUTH + 4 * STEP}`)).json();
        assert.equal(half.count + rest.count, ROWS);
    });

    await t.test('rows come in pages until there are no more', async () => {
        const seen = new Set();
        let next = `${server.url}/collections/place/items?limit=700&kind=home&filter=${encodeURIComponent('weight < 8')}`, pages = 0;
        while (next) {
            const page = (await get(next)).json();
            for (const f of page.features) {
                assert.equal(f.properties.kind, 'home');
                assert.ok(f.properties.weight < 8);
                assert.ok(!seen.has(f.id));
                seen.add(f.id);
            }
            assert.equal(page.numberReturned, page.features.length);
            assert.equal(page.numberMatched, 1600);
            next = page.links.find((l) => l.rel === 'next')?.href;
            assert.ok(++pages < 10);
        }
        assert.equal(seen.size, 1600);
        const csv = (await at('/collections/place/items?f=csv&limit=5')).body.toString('utf8');
        assert.equal(csv.charCodeAt(0), 0xfeff);
        assert.equal(csv.trim().split('\n').length, 6);
        // A link that was cut or altered is none.
        const link = new URL((await at('/collections/place/items?limit=5')).json().links.find((l) => l.rel === 'next').href);
        assert.equal((await at(link.pathname + link.search)).status, 200);
        const text = link.searchParams.get('next');
        for (const other of ['', '999.0.0', text.slice(0, -1), text + 'A', 'B' + text.slice(1), text.slice(0, 5) + (text[5] === 'A' ? 'B' : 'A') + text.slice(6)])
            assert.equal((await at(`/collections/place/items?limit=5&next=${other}`)).status, 400, other);
        assert.equal((await at(`/collections/place/items?limit=5&sortby=weight&next=${text}`)).status, 400);
    });

    await t.test('tiles are palette pictures of their size, empty ones too', async () => {
        const one = await at(`/tiles/heat:place/${Z}/${X}/${Y}.png`);
        const two = await at(`/tiles/heat:place/${Z}/${X}/${Y}@2x.png`);
        const far = await at(`/tiles/heat:place/${Z}/0/0.png`);
        assert.deepEqual(png(one.body), { width: 256, height: 256, colour: 3 });
        assert.deepEqual(png(two.body), { width: 512, height: 512, colour: 3 });
        assert.deepEqual(png(far.body), { width: 256, height: 256, colour: 3 });
        assert.ok(one.body.length > far.body.length);
        assert.equal(far.status, 200);
        // Two writings of one question are one picture, another question another.
        const a = await at(`/tiles/heat:place/${Z}/${X}/${Y}.png?filter=${encodeURIComponent("kind='home' AND weight=1")}`);
        const b = await at(`/tiles/heat:place/${Z}/${X}/${Y}.png?filter=${encodeURIComponent("weight = 1 and  kind = 'home'")}`);
        assert.equal(a.headers.etag, b.headers.etag);
        assert.notEqual(a.headers.etag, one.headers.etag);
        const light = await at(`/tiles/heat:place/${Z}/${X}/${Y}.png?palette=light&kernel=gaussian&bandwidth=1500&weight=weight&datetime=2023-03`);
        assert.equal(light.status, 200);
        assert.notEqual(light.headers.etag, one.headers.etag);
    });

    await t.test('many tiles of a new filter at once are one view', async () => {
        const filter = encodeURIComponent('weight IN (1, 2, 3)');
        const answers = await Promise.all(Array.from({ length: 40 }, (_, i) =>
            at(`/tiles/heat:place/12/${2 * X + i % 2}/${2 * Y + (i >> 1) % 2}.png?filter=${filter}`)));
        for (const answer of answers) assert.equal(answer.status, 200);
        assert.ok(new Set(answers.map((a) => a.headers.etag)).size <= 4);
    });

    await t.test('TileJSON, legend and value fit together', async () => {
        const tiles = (await at('/tiles/heat:place.json?bandwidth=1000')).json();
        assert.equal(tiles.tilejson, '3.0.0');
        assert.equal(tiles.tiles[0], `${server.url}/tiles/heat:place/{z}/{x}/{y}.png?bandwidth=1000`);
        assert.deepEqual(tiles.vector_layers, []);
        assert.ok(tiles.bounds[0] >= WEST - 1e-6 && tiles.bounds[2] <= WEST + SIDE * STEP + 1e-6);
        const tile = tiles.tiles[0].replace('{z}', Z).replace('{x}', X).replace('{y}', Y);
        assert.equal((await get(tile)).status, 200);
        const legend = (await at('/legend/heat:place.json')).json();
        assert.equal(legend.steps.length, 16);
        assert.ok(legend.steps.every((s, i) => !i || s.from > legend.steps[i - 1].from));
        assert.equal(legend.total, ROWS);
        const value = (await at('/value?name=heat:place&lon=113.75&lat=22.95&z=14')).json();
        assert.equal(value.units.square.id, 'U22');
        assert.equal(value.units.square.name, '单元22');
        assert.ok(Math.abs(value.value - value.pixel.value) <= 0.01 * legend.steps.at(-1).from + 0.02 * value.value,
            `${value.value} and ${value.pixel.value}`);
        const outside = (await at('/value?name=heat:place&lon=0&lat=0')).json();
        assert.equal(outside.value, 0);
        assert.equal(outside.units.square, null);
        assert.equal(outside.pixel.step, -1);
    });

    await t.test('HEAD, 304 and gzip', async () => {
        for (const target of [`/tiles/heat:place/${Z}/${X}/${Y}.png`, '/stats/place?by=day', '/collections', '/pages/analyst/app.js', '/analyst']) {
            const full = await at(target), head = await at(target, { method: 'HEAD' });
            assert.equal(head.status, 200, target);
            assert.equal(head.body.length, 0);
            assert.equal(head.headers.etag, full.headers.etag);
            assert.equal(Number(head.headers['content-length']), full.body.length);
            const strong = full.headers.etag.replace(/^W\//, '');
            for (const tag of [strong, `W/${strong}`, `"x", ${full.headers.etag}`, '*']) {
                const again = await at(target, { headers: { 'If-None-Match': tag } });
                assert.equal(again.status, 304, `${target} ${tag}`);
                assert.equal(again.body.length, 0);
                assert.equal(again.headers.etag, full.headers.etag);
                assert.equal(again.headers['cache-control'], full.headers['cache-control']);
            }
            for (const tag of ['"x"', full.headers.etag.slice(0, -2) + '"', 'x'])
                assert.equal((await at(target, { headers: { 'If-None-Match': tag } })).status, 200, `${target} ${tag}`);
        }
        const plain = await at('/collections'), zipped = await at('/collections', { headers: { 'Accept-Encoding': 'gzip, br' } });
        assert.equal(zipped.headers['content-encoding'], 'gzip');
        assert.match(zipped.headers.vary, /Accept-Encoding/);
        assert.notEqual(zipped.headers.etag, plain.headers.etag);
        assert.deepEqual(zlib.gunzipSync(zipped.body), plain.body);
        assert.ok(zipped.body.length < plain.body.length);
        assert.equal((await at('/collections', { headers: { 'Accept-Encoding': 'gzip;q=0' } })).headers['content-encoding'], undefined);
        assert.equal((await at(`/tiles/heat:place/${Z}/${X}/${Y}.png`, { headers: { 'Accept-Encoding': 'gzip' } })).headers['content-encoding'], undefined);
    });

    await t.test('wrong questions are told what is wrong with them', async () => {
        for (const [target, status, parameter] of [
            ['/stats/place?by=nothing', 400, 'by'], ['/stats/place?bye=square', 400, 'bye'],
            ['/stats/place?by=square&by=kind', 400], ['/stats/nowhere?by=square', 404],
            ['/stats/place?filter=kind+%3D', 400, 'filter'], ['/stats/place?filter=color+%3D+1', 400, 'filter'],
            ['/stats/place?filter=kind+%3D+%27a%27&filter-lang=sql', 400, 'filter-lang'],
            ['/stats/place?datetime=yesterday', 400, 'datetime'], ['/stats/square?datetime=2023-03', 400, 'datetime'],
            ['/stats/place?sum=kind', 400, 'sum'], ['/stats/place?sum=none', 400, 'sum'],
            ['/stats/place?bbox=1,2,3', 400, 'bbox'], ['/stats/place?bbox=1,4,3,2', 400, 'bbox'],
            ['/stats/place?bbox=NaN,0,1,1', 400, 'bbox'], ['/stats/place?bbox=inf,0,1,1', 400, 'bbox'],
            ['/stats/place?bbox=0,0,999,1', 400, 'bbox'], ['/stats/place?bbox=0,0,1,1,', 400, 'bbox'],
            ['/stats/place?bbox=0x1,0,1,1', 400, 'bbox'], [`/stats/place?bbox=${'9'.repeat(400)},0,1,1`, 400, 'bbox'],
            ['/collections/place/items?limit=0', 400, 'limit'], ['/collections/place/items?limit=-1', 400, 'limit'],
            ['/collections/place/items?limit=1e9', 400, 'limit'], ['/collections/place/items?limit=1e3', 400, 'limit'],
            ['/collections/place/items?f=xml', 400, 'f'], ['/collections/place/items?colour=red', 400, 'colour'],
            ['/collections/place/items?weight=heavy', 400, 'weight'], ['/collections/place/items?next=x', 400, 'next'],
            ['/collections/nowhere', 404], ['/collections/nowhere/items', 404], ['/collections/place/items/none', 404],
            ['/value?name=heat:place&lon=1', 400, 'lat'], ['/value?name=heat:place&lon=1&lat=91', 400, 'lat'],
            ['/value?lon=1&lat=1', 400, 'name'], ['/value?name=cold:place&lon=1&lat=1', 404],
            ['/value?name=heat:place&lon=1&lat=1&z=23', 400, 'z'],
            ['/legend/heat:place', 404], ['/legend/heat:nowhere.json', 404], ['/tiles/heat:square.json', 404],
            [`/tiles/heat:place/${Z}/${X}/${Y}.png?bandwidth=1`, 400, 'bandwidth'],
            [`/tiles/heat:place/${Z}/${X}/${Y}.png?bandwidth=nan`, 400, 'bandwidth'],
            [`/tiles/heat:place/${Z}/${X}/${Y}.png?kernel=box`, 400, 'kernel'],
            [`/tiles/heat:place/${Z}/${X}/${Y}.png?palette=pink`, 400, 'palette'],
            [`/tiles/heat:place/${Z}/${X}/${Y}.png?weight=kind`, 400, 'weight'],
            [`/tiles/heat:place/${Z}/${X}/${Y}.jpg`, 400], [`/tiles/place/${Z}/${X}/${Y}@2x.mvt`, 400],
            [`/tiles/place/${Z}/${X}/${Y}.pbf?kernel=gaussian`, 400, 'kernel'], [`/tiles/nowhere/${Z}/${X}/${Y}.mvt`, 404], [`/tiles/heat:place/${Z}/${X}/${Y}@3x.png`, 404],
            ['/tiles/heat:place/23/0/0.png', 404], ['/tiles/heat:place/3/8/0.png', 404], ['/tiles/heat:place/3/-1/0.png', 400],
            ['/tiles/heat:nowhere/0/0/0.png', 404], ['/tiles/circle/0/0/0.png', 404], ['/health/', 404], ['/nothing', 404],
        ]) {
            const answer = await at(target);
            assert.equal(answer.status, status, `${target}: ${answer.body}`);
            assert.equal(answer.headers['content-type'], 'application/problem+json', target);
            assert.equal(answer.headers['access-control-allow-origin'], undefined, target);
            const problem = answer.json();
            assert.equal(problem.status, status);
            assert.ok(problem.title && problem.detail, target);
            if (parameter) assert.equal(problem.parameter, parameter, target);
        }
        assert.match((await at('/stats/place?datetime=2023-03-07/2023-03-05')).json().detail, /from is not before to/);
        const syntax = (await at('/stats/place?filter=weight+%3D+1+AND+AND')).json();
        assert.ok(syntax.at >= 10, JSON.stringify(syntax));
    });

    await t.test('addresses that could mean two things are refused', async () => {
        for (const target of ['/tiles/a/../../etc/passwd', '/%2e%2e/etc', '/pages/%2e%2e/x', '/pages/..%2fx', '/pages/a%5cb',
            '/health%00', '/health%00.png', '//health', '/./health', '/pages//app.js', '/health%zz', '/health%', '/health%0a',
            '/health?x=%00', '/health?a=1&a=2', '/%c0%af', '/\xff', '/health#x'])
            assert.equal(await statusOf(server.port, target), 400, target);
        assert.equal(await statusOf(server.port, '/health'), 200);
        assert.equal(await statusOf(server.port, `/health?x=${'a'.repeat(9000)}`), 414);
        assert.ok([0, 400, 414, 431].includes(await statusOf(server.port, `/${'a'.repeat(60000)}`)));
        assert.ok((await statusOf(server.port, 'http://localhost/health')) >= 400);
    });

    await t.test('only GET, HEAD and OPTIONS, and no bodies', async () => {
        for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'FOO']) {
            const answer = await raw(server.port, `${method} /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
            assert.match(answer, /^HTTP\/1\.1 405 /, method);
            assert.match(answer, /\r\nAllow: GET, HEAD, OPTIONS\r\n/, method);
        }
        const preflight = await at('/stats/place', { method: 'OPTIONS', headers: { Origin: 'https://x.example', 'Access-Control-Request-Method': 'GET' } });
        assert.equal(preflight.status, 204);
        assert.ok(!Object.keys(preflight.headers).some((name) => name.startsWith('access-control-')));
        const head = 'Host: localhost\r\nConnection: close\r\n';
        for (const [extra, status] of [
            [`${head}Content-Length: 3\r\n\r\nabc`, '413'], [`${head}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, '413'],
            [`${head}Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, '4'],
            [`${head}Host: other\r\n\r\n`, '400'], ['Host: a b\r\nConnection: close\r\n\r\n', '400'],
            ['Host: <script>\r\nConnection: close\r\n\r\n', '400'], ['Connection: close\r\n\r\n', '400'],
        ])
            assert.match(await raw(server.port, `GET /health HTTP/1.1\r\n${extra}`), new RegExp(`^HTTP/1\\.1 ${status}`), extra);
        for (const noise of ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'GET\r\n\r\n', '\0\0\0\0\r\n\r\n'])
            assert.doesNotMatch(await raw(server.port, noise, { waitMs: 300 }), /^HTTP\/1\.1 2/);
        assert.equal((await at('/health')).status, 200);
    });

    await t.test('requests on one connection are answered in their order', async () => {
        const one = (target) => `GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
        const answer = await raw(server.port, one('/stats/place') + one('/health') + one('/nothing') +
            'GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', { waitMs: 8000 });
        assert.deepEqual([...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map((m) => m[1]), ['200', '200', '404', '200']);
    });

    await t.test('clients that go away in the middle harm nobody', async () => {
        await Promise.all(Array.from({ length: 50 }, (_, i) => raw(server.port,
            `GET /stats/place?by=square&filter=weight%3E${i % 9} HTTP/1.1\r\nHost: localhost\r\n\r\n`, { waitMs: 1 + i % 5 })));
        await Promise.all(Array.from({ length: 20 }, () => raw(server.port, 'GET /hea', { waitMs: 5 })));
        assert.equal((await at('/health')).status, 200);
    });

    await t.test('metrics count what happened', async () => {
        const text = (await at('/metrics')).body.toString();
        assert.match(text, /^onemap_requests_total\{route="tile",status="2xx"\} [1-9]/m);
        assert.match(text, /^onemap_requests_total\{route="none",status="4xx"\} [1-9]/m);
        assert.match(text, /^onemap_request_seconds_bucket\{route="stats",le="\+Inf"\} [1-9]/m);
        assert.match(text, /^onemap_cache_hits_total\{cache="answers"\} [1-9]/m);
        assert.match(text, new RegExp(`^onemap_rows\\{layer="place"\\} ${ROWS}$`, 'm'));
        for (const line of text.trim().split('\n'))
            assert.match(line, /^(# (HELP|TYPE) \w+ .*|\w+(\{[^}]*\})? [0-9.e+-]+)$/);
    });

    await t.test('a commit beside it is seen within seconds', async () => {
        const before = await at('/stats/place'), oldTile = await at(`/tiles/heat:place/${Z}/${X}/${Y}.png`);
        await writeFile(path.join(dir, 'fewer.csv'), points(8).split('\n').slice(0, 1001).join('\n') + '\n');
        await done('import', city, 'place', path.join(dir, 'fewer.csv'), '--x', 'lon', '--y', 'lat', '--id', 'id', '--time', 'at', '--replace');
        let now;
        await until('the commit', async () => (now = await at('/stats/place')).json().count !== ROWS);
        assert.equal(now.json().count, 1000);
        assert.ok(Number(now.headers['data-sequence']) > Number(before.headers['data-sequence']));
        const tile = await at(`/tiles/heat:place/${Z}/${X}/${Y}.png`);
        assert.notEqual(tile.headers.etag, oldTile.headers.etag);
        assert.equal(tile.headers['data-sequence'], now.headers['data-sequence']);
    });

    await t.test('a stop finishes what was begun', async () => {
        const busy = Array.from({ length: 30 }, (_, i) =>
            at(`/stats/place?by=square&filter=${encodeURIComponent(`weight <> ${i % 10} AND kind LIKE '%${i}%'`)}`).then((a) => a.status, () => 0));
        await busy[0];
        const { code, by } = await server.stop();
        assert.equal(by, null);
        assert.equal(code, 0);
        for (const status of await Promise.all(busy)) assert.ok([200, 503, 0].includes(status), String(status));
        await assert.rejects(at('/health'));
    });
});

test('what costs much', async (t) => {
    const dir = await folder(t), city = path.join(dir, 'city');
    const next = random(11), lines = ['lon,lat,id'];
    for (let i = 0; i < 1000100; i++)
        lines.push(`${(WEST + next() * SIDE * STEP).toFixed(6)},${(SOUTH + next() * SIDE * STEP).toFixed(6)},P${i}`);
    await writeFile(path.join(dir, 'many.csv'), lines.join('\n') + '\n');
    await done('import', city, 'many', path.join(dir, 'many.csv'), '--x', 'lon', '--y', 'lat', '--id', 'id');
    const server = await serve(t, city), at = (target) => get(server.url + target);

    await t.test('is refused with the limit in the answer', async () => {
        for (const target of [`/tiles/heat:many/${Z}/${X}/${Y}.png?bandwidth=10`, '/legend/heat:many.json?bandwidth=10',
            '/value?name=heat:many&lon=113.7&lat=22.9&bandwidth=10', '/tiles/heat:many.json?bandwidth=10']) {
            const answer = await at(target), problem = answer.json();
            assert.equal(answer.status, 422, target);
            assert.equal(answer.headers['content-type'], 'application/problem+json');
            assert.equal(problem.parameter, 'bandwidth');
            const [, asked, rows, least] = /of (\d+) m over the (\d+) rows of many .* served is (\d+) m$/.exec(problem.detail);
            assert.deepEqual([asked, rows], ['10', '1000100']);
            assert.ok(least > 10 && least <= 200, least);
            assert.equal((await at(target.replace('bandwidth=10', `bandwidth=${least}`))).status, 200, target);
            assert.equal((await at(target.replace('bandwidth=10', `bandwidth=${least - 1}`))).status, 422, target);
        }
        const groups = await at('/stats/many?by=id');
        assert.equal(groups.status, 422);
        assert.equal(groups.json().parameter, 'by');
        assert.match(groups.json().detail, /more than 1,000,000 groups/);
    });

    await t.test('waits in a queue of its own, which has an end', async () => {
        const order = [];
        const heavy = Array.from({ length: 90 }, (_, i) => at(`/legend/heat:many.json?bandwidth=${100 + i / 100}`)
            .then((answer) => (order.push('heavy'), answer)));
        const quick = at('/stats/many').then((answer) => (order.push('quick'), answer));
        assert.equal((await quick).status, 200);
        const answers = await Promise.all(heavy);
        for (const answer of answers) {
            assert.ok([200, 503].includes(answer.status), String(answer.status));
            if (answer.status === 503) assert.ok(Number(answer.headers['retry-after']) >= 1);
        }
        assert.ok(answers.some((a) => a.status === 200) && answers.some((a) => a.status === 503));
        // Before all of the heavy ones that were answered at all.
        assert.ok(order.indexOf('quick') < order.length - 40, String(order.indexOf('quick')));
    });

    await t.test('is dropped when nobody waits for it any more', async () => {
        await Promise.all(Array.from({ length: 60 }, (_, i) => raw(server.port,
            `GET /legend/heat:many.json?bandwidth=${102 + i / 100} HTTP/1.1\r\nHost: localhost\r\n\r\n`, { waitMs: 60 })));
        assert.equal((await at('/legend/heat:many.json?bandwidth=150')).status, 200);
        const text = (await at('/metrics')).body.toString();
        assert.ok(Number(/^onemap_requests_total\{route="legend",status="5xx"\} (\d+)/m.exec(text)[1]) > 0);
    });

    await t.test('is given up while it is being done when its client leaves', async () => {
        const number = async (name) => Number(new RegExp(`^onemap_${name} (\\d+)`, 'm').exec((await at('/metrics')).body.toString())?.[1] ?? 0);
        const reaches = async (name, holds) => {
            let value;
            await soon(`${name} changes`, async () => holds(value = await number(name)));
            return value;
        };
        const question = '/hotspots/many?units=hex:70&neighbours=band:250&stat=moran';
        await reaches('workers_busy', (n) => n === 0);
        const before = await number('given_up_total');
        const asked = http.request(server.url + question);
        asked.on('error', () => undefined);
        asked.end();
        await reaches('workers_busy', (n) => n === 1);
        asked.destroy();
        await reaches('workers_busy', (n) => n === 0);
        // It ended without an answer, and not by finding out that it is too much.
        assert.equal(await number('given_up_total'), before + 1);
        assert.equal(await number('requests_total\\{route="hotspots",status="5xx"\\}'), 1);
        assert.equal(await number('requests_total\\{route="hotspots",status="4xx"\\}'), 0);
        // Who stays gets an answer, of the same worker.
        assert.equal((await at('/hotspots/many?units=hex:5000')).status, 200);
    });
});

test('a step of time is one wherever there is time', async (t) => {
    const dir = await folder(t), city = path.join(dir, 'city');
    const lines = ['lon,lat,id,day,month,at'];
    for (let i = 0; i < 60; i++)
        lines.push(`113.${500 + i},22.9,P${i},${['Mon', 'Tue', 'Wed'][i % 3]},${'ab'[i % 2]},2023-0${1 + i % 2}-1${i % 5}T12:00:00+08:00`);
    await writeFile(path.join(dir, 'p.csv'), lines.join('\n') + '\n');
    await writeFile(path.join(dir, 'q.csv'), lines.map((line) => line.replace(/,[^,]*$/, '')).join('\n') + '\n');
    const how = ['--x', 'lon', '--y', 'lat', '--id', 'id'];
    await done('import', city, 'timed', path.join(dir, 'p.csv'), ...how, '--time', 'at');
    await done('import', city, 'plain', path.join(dir, 'q.csv'), ...how);
    const server = await serve(t, city);
    const ids = async (target) => (await get(server.url + target)).json().groups.map((g) => g.id);
    assert.ok((await ids('/stats/timed?by=day')).every((id) => /^2023-0[12]-1[0-4]/.test(id)));
    assert.equal((await ids('/stats/timed?by=month')).length, 2);
    assert.ok((await ids('/stats/timed?by=month')).every((id) => /^2023-0[12]/.test(id)));
    assert.deepEqual(await ids('/stats/plain?by=day'), ['Mon', 'Tue', 'Wed']);
    assert.deepEqual(await ids('/stats/plain?by=month'), ['a', 'b']);
    assert.equal((await get(`${server.url}/stats/plain?by=hour`)).status, 400);
});

test('what serve refuses', async (t) => {
    const { onemap } = await import('./onemap.mjs');
    const { city } = await makeCity(t);
    const server = await serve(t, city);
    for (const [status, ...args] of [
        [2], [2, city, '--nothing'], [1, `${city}-none`], [1, city, '--listen', '127.0.0.1'],
        [1, city, '--listen', 'nonsense:x'], [1, city, '--listen', '127.0.0.1:99999'], [2, city, '--threads', '0'],
        [1, city, '--listen', `127.0.0.1:${server.port}`], [1, city, '--pages', `${city}-none`, '--listen', '127.0.0.1:0'],
        [1, city, '--config', path.join(city, 'none.json')], [1, city, '--url', 'ftp://x', '--listen', '127.0.0.1:0'],
    ]) {
        const result = await onemap('serve', ...args);
        assert.equal(result.status, status, args.join(' '));
        assert.match(result.stderr, /^onemap serve: [^\n]+\n$/, args.join(' '));
    }
});

test('a configuration file says the same as options', async (t) => {
    const { dir, city } = await makeCity(t);
    await writeFile(path.join(dir, 'serve.json'), JSON.stringify({ url: 'https://map.example', threads: 1, workers: 1, cache_mib: 1 }));
    await writeFile(path.join(dir, 'token'), 'a-token-of-those-in-charge');
    const server = await serve(t, city, '--config', path.join(dir, 'serve.json'), '--in-charge-token-file', path.join(dir, 'token'));
    // Behind a proxy nobody is of this machine.
    const ask = (target) => get(`${server.url}${target}`, { headers: { authorization: 'Bearer a-token-of-those-in-charge' } });
    const tiles = (await ask('/tiles/heat:place.json')).json();
    assert.match(tiles.tiles[0], /^https:\/\/map\.example\/tiles\//);
    // A cache of a megabyte, and more tiles than it holds.
    for (let i = 0; i < 1200; i++)
        assert.equal((await ask(`/tiles/heat:place/14/${i}/0.png`)).status, 200);
    const { code } = await server.stop('SIGINT');
    assert.equal(code, 0);
});

/** A counter or gauge of /metrics. */
async function metric(url, name) {
    const { body } = await get(`${url}/metrics`);
    const line = body.toString('utf8').split('\n').find((l) => l.startsWith(`${name} `));
    assert.ok(line, `no metric ${name}`);
    return Number(line.split(' ')[1]);
}

test('however many ask for a tile at once, it is drawn once', async (t) => {
    const { city } = await makeCity(t);
    const { url } = await serve(t, city);
    const y = Math.floor((1 - Math.asinh(Math.tan(22.9 * Math.PI / 180)) / Math.PI) / 2 * 2 ** Z);
    let drawn = 0;
    // A small bandwidth: its view is made first, which all of them wait for.
    for (const bandwidth of [60, 70, 80, 90, 100]) {
        const asked = Array.from({ length: 60 }, (_, i) =>
            get(`${url}/tiles/heat:place/${Z}/${X}/${y}.png?${i % 2 ? `bandwidth=${bandwidth}&palette=dark` : `palette=dark&bandwidth=${bandwidth}`}`));
        const answers = await Promise.all(asked);
        for (const a of answers) {
            assert.equal(a.status, 200);
            assert.equal(a.headers.etag, answers[0].headers.etag);
        }
        drawn++;
        assert.equal(await metric(url, 'onemap_tiles_drawn_total'), drawn);
    }
    assert.ok(await metric(url, 'onemap_tiles_joined_total') > 0);
});
