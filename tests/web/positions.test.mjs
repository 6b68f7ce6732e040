// POST /positions: where those on duty were last seen.
//
// Plan
//   good fixes are taken whatever the others are, bad ones named by row and
//   field; off duty nothing is kept; an older fix does not undo a newer one
//   the layer's rows follow: place, time, unit; the other columns stay, also
//   when they are written to meanwhile, and when the layer is imported anew
//   after a kill and a restart they are where they were; tracks on disk are as
//   many as were taken, hold no ids, and are gone when they are too old
//   one later than the clock of the city, whatever moves it, is refused
//   a clock that is set back: what is yet to come is forgotten, the new counts
//   a unit that nobody was seen in is not connected, which is not none
//   ten thousand fixes in one body, while singles come
//   what is about persons comes in by no other door: not as the layer that an
//   analysis looks at, not by times, not in the bounds that documents tell
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { ask, LINES, MERGE } from './ask.mjs';
import { done } from './onemap.mjs';
import { get, makeCity, places, SOUTH, WEST } from './sample.mjs';
import { serve } from './server.mjs';
import { untilWithin } from './until.mjs';

const TOKEN = 'a-token-of-those-in-charge', auth = { authorization: `Bearer ${TOKEN}` };
const CLOCK = '2023-05-01T12:00:00+08:00', NOW = Date.parse(CLOCK) / 1000;
const iso = (s) => new Date((s + 8 * 3600) * 1000).toISOString().replace('.000Z', '+08:00');

async function follow(dir, city, more = {}) {
    const file = path.join(city, 'city.json'), manifest = JSON.parse(await readFile(file, 'utf8'));
    manifest.clock = CLOCK;
    manifest.synthetic = more.synthetic ?? false;
    manifest.positions = { layer: 'place', seen: 'at', retention_days: 2, ...more };
    manifest.layers.find((l) => l.name === 'place').personal = true;
    await writeFile(file, JSON.stringify(manifest));
    await writeFile(path.join(dir, 'token'), `${TOKEN}\n`);
    return ['--in-charge-token-file', path.join(dir, 'token')];
}

const post = (url, body, headers = {}) => ask(`${url}/positions`, { method: 'POST', type: LINES, body, headers: { ...auth, ...headers } });

const line = (fix) => `${JSON.stringify({ worker: 'P00001', lon: 113.7, lat: 22.9, at: CLOCK, on_duty: true, ...fix })}\n`;
const row = async (url, id) => (await get(`${url}/collections/place/items/${id}`, { headers: auth })).json();

const until = untilWithin(120e3);

test('positions', async (t) => {
    const { dir, city } = await makeCity(t), args = await follow(dir, city, { synthetic: true });
    let server = await serve(t, city, ...args), { url } = server;
    const before = await row(url, 'P00001');

    await t.test('row by row', async () => {
        const bad = [['[1]', ''], ['{"worker":"P00001"', ''], [line({ lon: undefined }), 'lon'], [line({ lat: 95 }), 'lat'], [line({ lon: '113' }), 'lon'],
            [line({ lon: 10 }), 'lon'], [line({ worker: 'nobody' }), 'worker'], [line({ worker: 7 }), 'worker'], [line({ on_duty: undefined }), 'on_duty'],
            [line({ on_duty: 1 }), 'on_duty'], [line({ at: 'yesterday' }), 'at'], [line({ at: undefined }), 'at'], [line({ at: NOW + 301 }), 'at'],
            [line({ at: NOW - 3 * 86400 }), 'at'], [line({ name: 'x' }), '']];
        for (const [text, field] of bad) {
            const answer = await post(url, text);
            assert.equal(answer.status, 400, text);
            const { errors, refused, detail } = answer.json();
            assert.equal(refused, 1);
            assert.equal(errors[0].row, 1);
            assert.equal(errors[0].field ?? '', field, text);
            assert.match(detail, /row 1/);
        }
        const all = bad.map(([text]) => text.trim());
        const mixed = await post(url, [...all.slice(0, 7), line({ worker: 'P00002', at: NOW }).trim(), '', ...all.slice(7)].join('\n'));
        assert.equal(mixed.status, 200);
        const said = mixed.json();
        assert.deepEqual([said.taken, said.refused, said.older, said.off_duty], [1, bad.length, 0, 0]);
        assert.deepEqual(said.errors.map((e) => e.row), [1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17]);
        assert.equal((await post(url, '')).status, 400);
        assert.equal((await post(url, line({}), { 'content-type': 'text/csv' })).status, 415);
        assert.equal((await post(url, line({}), { authorization: '' })).status, 401);
        assert.equal((await post(url, `${'x'.repeat(5 << 20)}\n`)).status, 413);
        assert.deepEqual(await row(url, 'P00001'), before);
    });
    await t.test('the row follows, and only the newest counts', async () => {
        const [lon, lat] = [WEST + 0.25, SOUTH + 0.15];
        assert.equal((await post(url, line({ lon, lat, at: NOW - 5 }))).json().taken, 1);
        assert.equal((await post(url, line({ lon: 113.6, at: NOW - 50 }))).json().older, 1);
        assert.equal((await post(url, line({ lon: 113.6, at: NOW, on_duty: false }))).json().off_duty, 1);
        await until('it follows', async () => (await row(url, 'P00001')).properties.at === iso(NOW - 5));
        const now = await row(url, 'P00001');
        assert.deepEqual(now.geometry.coordinates.map((v) => v.toFixed(6)), [lon, lat].map((v) => v.toFixed(6)));
        assert.deepEqual({ ...now.properties, at: 0, square: 0 }, { ...before.properties, at: 0, square: 0 });
        assert.equal(now.properties.square, 'U12');
        assert.equal((await get(`${url}/stats/place`)).json().count, places().length);
        const [near] = (await get(`${url}/nearest/place?lon=${lon}&lat=${lat}&k=1`, { headers: auth })).json().features;
        assert.equal(near.id, 'P00001');
        assert.ok(near.properties.distance_m < 0.02);
    });
    await t.test('what is written to the layer meanwhile lies below', async () => {
        const patch = await ask(`${url}/collections/place/items/P00001`, { method: 'PATCH', type: MERGE, headers: auth, body: { type: 'Feature', properties: { kind: 'home' } } });
        assert.equal(patch.status, 200);
        await until('both', async () => {
            const { properties } = await row(url, 'P00001');
            return properties.kind === 'home' && properties.at === iso(NOW - 5);
        });
        await done('import', city, 'place', path.join(dir, 'places.csv'), '--replace', '--x', 'lon', '--y', 'lat', '--id', 'id', '--time', 'at');
        await until('the register as it was, and the fix', async () => {
            const { properties } = await row(url, 'P00001');
            return properties.kind === before.properties.kind && properties.at === iso(NOW - 5);
        });
    });
    const folder = path.join(city, 'tracks'), FIX_BYTES = 24;
    /** Bytes of the fixes that are kept. */
    const kept = async () => (await Promise.all((await readdir(folder)).filter((name) => name.endsWith('.fixes')).map((name) => stat(path.join(folder, name))))).reduce((sum, { size }) => sum + size, 0);
    await t.test('a kill loses no position that is a second old', async () => {
        await post(url, line({ worker: 'P00003', lon: WEST + 0.05, lat: SOUTH + 0.35, at: NOW - 1 }));
        // A second, or what a busy machine makes of it.
        await until('it is written', async () => await kept() === 4 * FIX_BYTES);
        server.child.kill('SIGKILL');
        await new Promise((resolve) => server.child.on('exit', resolve));
        server = await serve(t, city, ...args);
        ({ url } = server);
        for (const [id, at, square] of [['P00001', NOW - 5, 'U12'], ['P00003', NOW - 1, 'U30']])
            await until(id, async () => {
                const { properties } = await row(url, id);
                return properties.at === iso(at) && properties.square === square;
            });
    });
    await t.test('tracks name nobody, and hold what was taken', async () => {
        for (const name of await readdir(folder)) assert.doesNotMatch((await readFile(path.join(folder, name))).toString('latin1'), /P0000/);
        // Four taken, one that was older; neither those off duty nor the refused.
        assert.equal(await kept(), 4 * FIX_BYTES);
        assert.equal((await stat(folder)).mode & 0o777, 0o700);
    });
    await t.test('who is connected, for all', async () => {
        const said = (await get(`${url}/positions`, { headers: auth })).json();
        assert.equal(said.by, 'square');
        assert.equal(said.count, places().length);
        assert.equal(said.connected, 3);
        const unit = (id) => said.groups.find((g) => g.id === id);
        assert.equal(unit('U12').connected, 2);
        assert.equal(unit('U03').connected, null);
        assert.ok(unit('U03').count > 100);
        assert.equal((await get(`${url}/positions?by=kind`)).status, 400);
        // Of fewer than ten nobody else is told how many they are.
        const few = (await get(`${url}/positions`)).json(), hidden = few.groups.find((g) => g.id === 'U12');
        assert.equal(few.count, places().length);
        assert.ok(!few.connected, `${few.connected}`);
        assert.equal(hidden.connected, null);
        assert.ok(hidden.count > 100);
    });
    await t.test('a position is shown no longer than it is kept', async () => {
        // Three days later by the city's clock.
        const later = NOW + 3 * 86400;
        const made = await ask(`${url}/collections/road/items`, { method: 'POST', headers: { 'city-clock': iso(later), ...auth },
            body: { type: 'Feature', id: 'R999', geometry: { type: 'LineString', coordinates: [[113.6, 22.8], [113.7, 22.8]] }, properties: { kind: 'lane' } } });
        assert.equal(made.status, 201);
        await until('the register again', async () => {
            const now = await row(url, 'P00001');
            return now.properties.at === before.properties.at && now.geometry.coordinates[0] === before.geometry.coordinates[0];
        });
        assert.equal((await get(`${url}/positions`, { headers: auth })).json().connected, 0);
        assert.equal((await post(url, line({ at: NOW }))).status, 400);
        assert.equal((await post(url, line({ at: later - 60 }))).json().taken, 1);
        await until('and the new', async () => (await row(url, 'P00001')).properties.at === iso(later - 60));
    });
    await t.test('many at once', async () => {
        const ids = places().map((r) => r.id), later = NOW + 3 * 86400;
        const bodies = [1, 2].map((k) => ids.map((worker, i) =>
            line({ worker, lon: WEST + 0.01 + (i % 380) / 1000, lat: SOUTH + 0.01 + k / 10, at: later + k })).join(''));
        for (const body of bodies) {
            const answer = await post(url, body);
            assert.equal(answer.status, 200, answer.text().slice(0, 300));
            assert.equal(answer.json().taken, ids.length);
        }
        const singles = await Promise.all(ids.slice(0, 300).map((worker) => post(url, line({ worker, at: later + 3 }))));
        assert.ok(singles.every((s) => s.status === 200 && s.json().taken === 1));
        await until('all are connected', async () => (await get(`${url}/positions`, { headers: auth })).json().connected === ids.length);
        assert.equal((await get(`${url}/stats/place`, { headers: auth })).json().count, ids.length);
        assert.equal((await row(url, 'P04999')).properties.at, iso(later + 2));
    });
});

test('a city that keeps no tracks, one that follows nobody, one that is only read', async (t) => {
    const { dir, city } = await makeCity(t);
    const plain = await serve(t, city);
    assert.equal((await post(plain.url, line({}), { authorization: '' })).status, 404);
    assert.equal((await get(`${plain.url}/positions`)).status, 404);
    await plain.stop();
    const args = await follow(dir, city, { retention_days: 0 });
    await mkdir(path.join(city, 'tracks'));
    await writeFile(path.join(city, 'tracks', '2023050103.fixes'), Buffer.alloc(48));
    const { url, stop } = await serve(t, city, ...args);
    assert.equal((await post(url, line({ at: NOW }))).json().taken, 1);
    await until('it follows', async () => (await row(url, 'P00001')).properties.at === iso(NOW));
    assert.deepEqual(await readdir(path.join(city, 'tracks')), []);
    await stop();
    const reader = await serve(t, city, '--read-only', ...args);
    assert.equal((await post(reader.url, line({}))).status, 403);
    // Positions are of the moment: without tracks they end with the server.
    assert.equal((await row(reader.url, 'P00001')).properties.at, places()[1].at);
});

test('a fix from the future does not keep the true ones out', async (t) => {
    const { dir, city } = await makeCity(t);
    // Also where what is written moves the clock.
    const { url } = await serve(t, city, ...await follow(dir, city, { synthetic: true }));
    const [lon, lat] = [WEST + 0.25, SOUTH + 0.15], later = NOW + 9 * 3600;
    const wrong = await post(url, line({ at: later }));
    assert.equal(wrong.status, 400);
    const [{ row: number, worker, field, reason }] = wrong.json().errors;
    assert.deepEqual([number, worker, field, reason], [1, 'P00001', 'at', `${iso(later)} is later than the city's clock, ${iso(NOW)}`]);
    const both = (await post(url, line({ at: later }) + line({ lon, lat, at: NOW - 4 }))).json();
    assert.deepEqual([both.taken, both.older, both.refused], [1, 0, 1]);
    await until('the true one', async () => (await row(url, 'P00001')).properties.at === iso(NOW - 4));
    // The clocks of devices differ by little.
    assert.equal((await post(url, line({ at: NOW + 300 }))).json().taken, 1);
    assert.equal((await post(url, line({ at: NOW + 301 }))).status, 400);
});

test('a clock that is set back', async (t) => {
    const { dir, city } = await makeCity(t), args = await follow(dir, city);
    let server = await serve(t, city, ...args), { url } = server;
    const connected = async () => (await get(`${url}/positions`, { headers: auth })).json().connected;
    const ids = ['P00001', 'P00002', 'P00003'], before = await row(url, ids[0]);
    assert.equal((await post(url, ids.map((worker) => line({ worker, at: NOW })).join(''))).json().taken, 3);
    await until('they are connected', async () => await connected() === 3);
    const file = path.join(city, 'city.json'), back = NOW - 86400;
    await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, 'utf8')), clock: iso(back) }));
    server.child.kill('SIGHUP');
    // Who is seen tomorrow is not seen now, and is where the register says.
    await until('nobody is connected', async () => await connected() === 0);
    await until('the register again', async () => (await row(url, ids[0])).properties.at === before.properties.at);
    const nearest = await get(`${url}/nearest/place?lon=113.7&lat=22.9&k=1`, { headers: auth });
    assert.deepEqual(nearest.json().features, []);
    // Fixes by the new clock are not older than what is to come; at a start, too.
    const fix = (await post(url, line({ at: back - 3 }))).json();
    assert.deepEqual([fix.taken, fix.older], [1, 0]);
    await until('the new one', async () => (await row(url, ids[0])).properties.at === iso(back - 3));
    await server.stop();
    server = await serve(t, city, ...args);
    ({ url } = server);
    await until('it is there again', async () => (await row(url, ids[0])).properties.at === iso(back - 3));
    assert.equal(await connected(), 1);
});

test('what is about persons comes in by no other door', async (t) => {
    const { dir, city } = await makeCity(t), args = await follow(dir, city);
    const file = path.join(city, 'city.json'), manifest = JSON.parse(await readFile(file, 'utf8'));
    manifest.exposures = { persons: { layer: 'place', title: '人', title_en: 'persons', unit: '人', unit_en: 'persons', floor: 1 } };
    await writeFile(file, JSON.stringify(manifest));
    // One far from all others: bounds would tell where.
    await writeFile(path.join(dir, 'far.csv'), 'lon,lat,id,kind,weight,note,at\n113.123457,22.234567,P09999,lonely,1,x,2009-07-08T09:10:11+08:00\n');
    await done('import', city, 'place', path.join(dir, 'far.csv'), '--append', '--x', 'lon', '--y', 'lat', '--id', 'id', '--time', 'at');
    await writeFile(path.join(dir, 'shops.csv'), `lon,lat,id,at\n${places(200).map((r, i) => `${r.lon},${r.lat},S${i},${r.at}`).join('\n')}\n`);
    await done('import', city, 'shop', path.join(dir, 'shops.csv'), '--x', 'lon', '--y', 'lat', '--id', 'id', '--time', 'at');
    const { url } = await serve(t, city, ...args);

    await t.test('401, as elsewhere', async () => {
        const words = (await get(`${url}/collections/place/items`)).json().detail;
        for (const target of [
            ...['', '&rows=true', '&centres=true', '&areas=true'].flatMap((more) =>
                [`/coverage/service?layer=place&people=shop${more}`, `/coverage/service?layer=shop&people=place${more}`]),
            '/coverage/site?layer=place&people=shop&by=square', '/coverage/site?layer=shop&people=place&by=square',
            '/coverage/partition?layer=place', '/coverage/partition?layer=shop,place&rows=true',
            '/hotspots/shop?units=square&exposure=place', '/hotspots/shop?units=hex:500&exposure=place:weight', '/hotspots/shop?units=square&per=persons&stat=emerging',
            '/stats/place?datetime=2023-01-02', '/stats/place?by=square&datetime=2023-01-02/2023-01-03',
            '/tiles/choropleth:square/10/835/443.png?layer=place&datetime=2023-01-02',
            '/map.png?layers=choropleth:square&layer=place&datetime=2023-01-02&width=64&height=64']) {
            const answer = await get(url + target);
            assert.equal(answer.status, 401, `${target} ${answer.text().slice(0, 300)}`);
            assert.equal(answer.json().detail, words, target);
            assert.equal(answer.headers['www-authenticate'], 'Bearer');
            const known = await get(url + target, { headers: auth });
            assert.notEqual(known.status, 401, target);
        }
        assert.equal((await get(`${url}/stats/place?sortby=at`)).status, 400);
        assert.equal((await get(`${url}/stats/place?by=square`)).status, 200);
    });
    await t.test('strays are counted, not named', async () => {
        const target = `${url}/coverage/partition?rows=true`;
        assert.doesNotMatch((await get(target)).text(), /P09999|113\.1234|22\.2345/);
        assert.match((await get(target, { headers: auth })).text(), /P09999/);
    });
    await t.test('documents tell the bounds of the units, and no times', async () => {
        for (const target of ['/collections/place', '/collections', '/catalog', '/tiles/place.json', '/tiles/place/metadata.json', '/styles/place.json',
            '/collections/place/tiles/WebMercatorQuad', '/wmts/1.0.0/WMTSCapabilities.xml',
            '/collections/place/queryables']) {
            const answer = await get(url + target);
            assert.equal(answer.status, 200, target);
            assert.doesNotMatch(answer.text(), /113\.123|22\.234|2009-07|lonely/, target);
        }
        // Pictures of them nobody has without a token, nor the document about those.
        for (const target of ['/collections/place/map/tiles', '/collections/place/map/tiles/WebMercatorQuad', '/tiles/place/3/6/3.png']) {
            assert.equal((await get(url + target)).status, 401, target);
            assert.equal((await get(url + target, { headers: auth })).status, 200, target);
        }
        const { extent } = (await get(`${url}/collections/place`)).json();
        assert.equal(extent.temporal, undefined);
        assert.deepEqual(extent.spatial, (await get(`${url}/collections/square`)).json().extent.spatial);
        assert.match((await get(`${url}/collections/place`, { headers: auth })).text(), /113\.1234\d+,22\.2345.*2009-07-08/s);
        assert.match((await get(`${url}/tiles/place.json`, { headers: auth })).text(), /113\.1234/);
    });
});
