// publish.test.mjs - a release holds what its plan lists, and nothing else.
//
// Plan
//   rows and columns are those of the plan, alike in every byte each time
//   the base map is of units, not of regions that figures are told of; in
//   English it writes both names
//   names in English are made of the names and the plan's terms
//   texts of plan and city.json go out as what they are listed as, and the
//   report says what was left out; nothing is approved in the future
//   what can never be public is refused, by whichever name it is asked for
//   a release appears whole, is replaced under a server, is never overwritten
//   the server of a release only reads, from a folder that it cannot write to
import assert from 'node:assert/strict';
import { chmod, cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { after, before } from 'node:test';

import { done, onemap } from './onemap.mjs';
import { get, tileX, tileY } from './sample.mjs';
import { raw, serve } from './server.mjs';
import { untilWithin } from './until.mjs';

const until = untilWithin(120e3);

let dir, city, plan, statistics;

before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'onemap-publish-'));
    city = path.join(dir, 'city');
    const source = path.join(dir, 'source');
    await done('synth', source, '--scale', '0.002', '--quiet');
    await done('import', city, '--all', source, '--quiet');
    plan = JSON.parse(await readFile(path.join(city, 'publish.json'), 'utf8'));
    // Statistics are tried in release_attack.test.mjs.
    ({ statistics } = plan);
    delete plan.statistics;
    await writeFile(path.join(city, 'publish.json'), JSON.stringify(plan));
});

after(() => rm(dir, { recursive: true, force: true }));

/** Publish with a plan changed by `change`; what the program said. */
async function publish(out, change = () => {}, ...args) {
    const own = structuredClone(plan), file = path.join(dir, 'plan.json');
    change(own);
    await writeFile(file, JSON.stringify(own));
    return onemap('publish', city, out, '--plan', file, ...args);
}
const rows = async (where, layer) =>
    JSON.parse(await done('query', where, layer, '--format', 'geojson')).features
        .sort((a, b) => a.id < b.id ? -1 : 1);

test('rows are those of the city in the columns of the plan', async () => {
    const out = path.join(dir, 'release');
    await done('publish', city, out);
    await done('verify', out);
    const manifest = JSON.parse(await readFile(path.join(out, 'city.json'), 'utf8'));
    assert.deepEqual(manifest.layers.map((l) => l.name).sort(), plan.layers.map((l) => l.layer).sort());
    assert.equal(manifest.synthetic, true);
    assert.equal(manifest.service.population, undefined);
    assert.equal(manifest.service.layer, 'service_centre');
    for (const listed of plan.layers) {
        const [are, were] = [await rows(out, listed.layer), await rows(city, listed.layer)];
        assert.equal(are.length, were.length, listed.layer);
        const units = are[0].properties.grid === undefined || listed.layer === 'grid' ? [] : ['grid', 'village', 'town'];
        for (const [i, row] of are.entries()) {
            // What was made English is not of the city, and of the name alone.
            for (const made of [`${listed.english}_en`].filter((c) => listed.english)) {
                assert.match(row.properties[made], /^[ -~]+$/);
                delete row.properties[made];
            }
            assert.deepEqual(Object.keys(row.properties).sort(),
                [...new Set([...listed.columns, ...units])].filter((c) => c in row.properties).sort());
            for (const key of Object.keys(row.properties))
                assert.deepEqual(row.properties[key], were[i].properties[key], `${listed.layer}.${key}`);
            assert.deepEqual(row.geometry, were[i].geometry, `${listed.layer} ${row.id}`);
        }
    }
});

test('the map is of towns and villages, whatever figures are told of', async () => {
    const tile = async (...args) => {
        const file = path.join(dir, 'tile.png');
        await done('tile', ...args, '--out', file);
        return readFile(file);
    };
    const [plain, told, spare] = ['plain', 'told', 'spare'].map((name) => path.join(dir, name));
    await cp(city, spare, { recursive: true });
    const manifest = JSON.parse(await readFile(path.join(spare, 'city.json'), 'utf8'));
    delete manifest.english;
    await writeFile(path.join(spare, 'city.json'), JSON.stringify(manifest));
    assert.equal((await publish(plain)).status, 0);
    const { status, stdout } = await publish(told, (p) => { p.statistics = statistics; });
    assert.equal(status, 0);
    assert.match(stdout, /others were merged into \d+ regions/);
    const [town] = await rows(plain, 'town'), [lon, lat] = town.geometry.coordinates.flat(Infinity);
    for (const z of [10, 13]) {
        const place = `${z}/${tileX(lon, z)}/${tileY(lat, z)}`, base = await tile(plain, 'base', place);
        assert.deepEqual(await tile(told, 'base', place), base, place);
        // In English names are in both languages, and each once.
        const english = await tile(plain, 'base', place, '--lang', 'en');
        assert.notDeepEqual(english, base, place);
        assert.deepEqual(await tile(plain, 'base', place, '--lang', 'zh'), base);
        assert.deepEqual(await tile(plain, 'base', place, '--labels', 'no', '--lang', 'en'), await tile(plain, 'base', place, '--labels', 'no'));
        // Who has neither English names nor terms has none to show.
        assert.deepEqual(await tile(spare, 'base', place, '--lang', 'en'), await tile(spare, 'base', place));
    }
    const { status: wrong, stderr } = await onemap('tile', plain, 'town', '10/1/1', '--format', 'png', '--lang', 'en', '--out', path.join(dir, 'x.png'));
    assert.equal(wrong, 2);
    assert.match(stderr, /^onemap tile: --lang is not for pictures of town/);
});

test('names in English, by terms and pinyin', async () => {
    const out = path.join(dir, 'english'), of = (layer) => plan.layers.find((l) => l.layer === layer);
    const result = await publish(out, (p) => {
        p.english = { 镇: 'Town', 街道: 'Subdistrict', 涌: 'chong' };
        delete p.layers.find((l) => l.layer === 'road').english;
    });
    assert.equal(result.status, 0, result.stderr);
    assert.match(result.stdout, /town: \d+ rows of id, name, name_en/);
    const named = Object.fromEntries((await rows(out, 'town')).map((f) => [f.properties.name, f.properties.name_en]));
    assert.deepEqual([named['虎门镇'], named['东城街道'], named['麻涌镇'], named['松山湖']], ['Humen Town', 'Dongcheng Subdistrict', 'Machong Town', 'Songshanhu']);
    assert.ok((await rows(out, 'road')).every((f) => !('name_en' in f.properties)), 'only where it is asked for');
    const refused = async (change, says) => {
        const { status, stderr } = await publish(path.join(dir, 'never'), change);
        assert.equal(status, 1);
        assert.match(stderr, says);
    };
    const town = (p) => p.layers.find((l) => l.layer === 'town');
    await refused((p) => { town(p).english = 'none'; }, /layers\[0\]\.english: 'none' is not one of its columns/);
    await refused((p) => { town(p).columns = ['id']; }, /'name' is not one of its columns/);
    await refused((p) => { town(p).english = ['name']; }, /english is not a text/);
    await refused((p) => { p.english = ['镇']; }, /english is not an object/);
    await refused((p) => { p.english = { 镇: 1 }; }, /english\.镇 is not a text/);
    assert.equal(of('town').english, 'name');
});

test('the same city and plan make the same bytes, with any number of threads', async () => {
    const bytes = async (out) => {
        const files = (await readdir(out, { recursive: true, withFileTypes: true })).filter((f) => f.isFile())
            .map((f) => path.relative(out, path.join(f.parentPath ?? f.path, f.name))).sort();
        return Promise.all(files.map(async (f) => [f, (await readFile(path.join(out, f))).toString('latin1')]));
    };
    const a = path.join(dir, 'same-a'), b = path.join(dir, 'same-b');
    await done('publish', city, a);
    process.env.ONEMAP_THREADS = '1';
    try {
        await done('publish', city, b);
    } finally {
        delete process.env.ONEMAP_THREADS;
    }
    assert.deepEqual(await bytes(a), await bytes(b));
});

test('what can never be public is refused, and nothing is left behind', async () => {
    const add = (layer, columns = ['id']) => (p) => p.layers.push({ layer, columns });
    const cases = [
        [add('address'), /address can never be public.*restricted/],
        [add('rental'), /rental can never be public/],
        [add('visit'), /visit can never be public/],
        [add('worker'), /worker can never be public.*personal/],
        [add('check'), /check can never be public/],
        [add('wishes'), /wishes can never be public.*member of city\.json/],
        [add('hazard'), /hazard is not public.*internal/],
        [add('business'), /business is not public/],
        [add('nowhere'), /no layer 'nowhere'/],
        [add('town'), /listed twice/],
        [(p) => { p.layers.find((l) => l.layer === 'grid').columns.push('code'); }, /grid is not public: its outlines can be.*column 'code' is none of these/],
        [(p) => { p.layers[3].columns.push('secret'); }, /layers\[3\].*no column 'secret'/],
        [(p) => { p.layers[3].columns.push('grid'); }, /no column 'grid' of its own/],
        [(p) => { p.layers[3].filter = 'nothing ='; }, /layers\[3\]\.filter/],
        [(p) => { p.tracks = true; }, /no member tracks/],
        [(p) => { p.layers[0].rows = 3; }, /no member layers\[0\]\.rows/],
        [(p) => { p.publish = 2; }, /"publish" is not 1/],
        [(p) => { p.layers = {}; }, /layers is not a list/],
        [(p) => { p.city = { synthetic: false }; }, /no member city\.synthetic that goes into a release/],
        [(p) => { p.city = { positions: { layer: 'worker' } }; }, /no member city\.positions/],
    ];
    for (const [change, says] of cases) {
        const out = path.join(dir, 'refused');
        const { status, stderr } = await publish(out, change);
        assert.equal(status, 1, String(says));
        assert.match(stderr, says);
        assert.match(stderr, /^onemap publish: /m);
        assert.deepEqual((await readdir(dir)).filter((f) => f.startsWith('refused')), []);
    }
});

test('texts of the plan are what they may be, and no others go out', async () => {
    const community = (change) => (p) => change(p.city.community), matter = (change) => (p) => change(p.city.community.matters.list[2]);
    const statistic = (change) => (p) => { p.statistics = structuredClone(statistics); change(p.statistics[0]); };
    const cases = [
        [(p) => { p.city = { wishes: { a: 1 }, foo: 'an address text' }; }, /no member city\.wishes that/],
        [(p) => { p.city.foo = 'an address text'; }, /no member city\.foo that/],
        [community((c) => { c.note = 'of a house'; }), /no member city\.community\.note that/],
        [community((c) => { c.hotline = { a: 1 }; }), /city\.community\.hotline is not a text/],
        [community((c) => { c.hotline = 'ask the neighbour'; }), /hotline is no telephone/],
        [community((c) => { c.hotline = '0'.repeat(60); }), /hotline is too long/],
        [community((c) => { c.levels = 'village'; }), /levels is not a list/],
        [community((c) => { c.levels = ['village', 'a b']; }), /levels\[1\] is no name/],
        [community((c) => { c.centres = 'organisations'; }), /centres: the plan lists no layer 'organisations'/],
        [community((c) => { c.holidays[0][0] = '2023-02-30'; }), /holidays\[0\]\[0\] is no date/],
        [community((c) => { c.workdays.push('soon'); }), /workdays\[7\] is no date/],
        [community((c) => { c.workdays = Array(401).fill('2023-01-28'); }), /workdays has too many/],
        [community((c) => { delete c.matters.list; }), /city\.community\.matters has no list/],
        [matter((m) => { m.phone = '12345'; }), /no member city\.community\.matters\.list\[2\]\.phone/],
        [matter((m) => { m.pinyin = 'x'; }), /matters\.list\[2\]\.pinyin/],
        [matter((m) => { m.name = 7; }), /list\[2\]\.name is not a text/],
        [matter((m) => { m.name = ''; }), /list\[2\]\.name is empty/],
        [matter((m) => { m.name = '居'.repeat(41); }), /list\[2\]\.name is too long/],
        [matter((m) => { m.name = '办\u202e证'; }), /list\[2\]\.name has control characters/],
        [matter((m) => { m.name_en = 'Ask\nher'; }), /name_en has control characters/],
        [matter((m) => { m.aliases.push('138-0000 ００００'); }), /aliases\[\d+\] has more than six digits/],
        [matter((m) => { m.aliases = Array(25).fill('a'); }), /aliases has too many/],
        [matter((m) => { delete m.group; }), /list\[2\] has no group/],
        [(p) => { p.name = 'a'.repeat(64); }, /publish\.json: name is too long/],
        [(p) => { p.name = '公开版 13800000000'; }, /publish\.json: name has more than six digits/],
        [(p) => { p.name = '一三八〇〇〇〇〇〇〇〇'; }, /publish\.json: name has more than six digits/],
        [(p) => { p.name = '一路14号'; }, /publish\.json: name names a house/],
        [(p) => { p.name_en = 'Call 1380-0000000'; }, /name_en has more than six digits/],
        [statistic((t) => { t.title = '一路１４号'; }), /statistics\[0\]\.title names a house or a room/],
        [statistic((t) => { t.title = '一栋二〇三室'; }), /statistics\[0\]\.title names a house/],
        [statistic((t) => { t.title_en = 'reports 13800000000'; }), /title_en has more than six digits/],
        [statistic((t) => { t.approved_by = '某人 13800000000'; }), /approved_by has more than six digits/],
        [statistic((t) => { t.topic = 'R0000001-13800000000'; }), /statistics\[0\]\.topic has more than six digits/],
        [(p) => { p.name_en = '东莞'; }, /name_en has characters that are not plain ASCII/],
        [(p) => { p.english.镇 = 'x'.repeat(81); }, /english\.镇 is too long/],
        [(p) => { p.english.镇 = '镇'; }, /english\.镇 has characters/],
        [statistic((t) => { t.title = ['a']; }), /statistics\[0\]\.title is not a text/],
        [statistic((t) => { t.title_en = 'x'.repeat(121); }), /statistics\[0\]\.title_en is too long/],
        [statistic((t) => { t.approved_by = 'me\n'; }), /approved_by has control characters/],
        [statistic((t) => { t.filter = `severity >= 3 ${'AND severity >= 3 '.repeat(60)}`; }), /filter is too long/],
        [statistic((t) => { t.approved_on = '2099-01-01'; }), /approved_on 2099-01-01 is in the future: the clock of the city stands at 2023-06-27T00:00/],
        [statistic((t) => { t.approved_on = '2023-06-28'; }), /approved_on 2023-06-28 is in the future/],
    ];
    for (const [change, says] of cases) {
        const { status, stderr } = await publish(path.join(dir, 'refused'), change);
        assert.match(stderr, says);
        assert.equal(status, 1, String(says));
    }
    assert.deepEqual((await readdir(dir)).filter((f) => f.startsWith('refused')), []);
    const today = path.join(dir, 'today');
    assert.equal((await publish(today, statistic((t) => { t.approved_on = '2023-06-27'; }))).status, 0);
    const said = JSON.parse(await readFile(path.join(today, 'city.json'), 'utf8'));
    assert.equal(said.name_en, plan.name_en);
    // As the plan says it, and how it sounds.
    const { matters } = said.community;
    assert.match(matters.variants, /^(?:[\u4e00-\u9fff]{2})+$/);
    delete matters.variants;
    for (const one of [...matters.groups, ...matters.list]) {
        assert.match(one.pinyin, /^[a-z0-9]+([ ;][a-z0-9]+)*$/);
        delete one.pinyin;
    }
    assert.deepEqual(said.community, plan.city.community);
});

test('of city.json nothing goes out that is not listed, and the report says what was left out', async () => {
    const wide = path.join(dir, 'wide'), out = path.join(dir, 'wide-out'), secret = 'an address text 13800000000';
    await cp(city, wide, { recursive: true });
    const manifest = JSON.parse(await readFile(path.join(wide, 'city.json'), 'utf8')), was = structuredClone(manifest);
    manifest.service.modes.walk.note = secret;
    manifest.service.modes.walk[secret] = 1;
    manifest.service.minutes = secret;
    manifest.service.foo = secret;
    manifest.license = { [secret]: secret };
    manifest.search[0].about = secret;
    const road = manifest.layers.find((l) => l.name === 'road');
    road.counted = { a: secret };
    road.base_classes.push({ a: secret });
    road.foo = secret;
    await writeFile(path.join(wide, 'city.json'), JSON.stringify(manifest));
    const { status, stdout: told, stderr } = await onemap('publish', wide, out);
    assert.equal(status, 0, stderr);
    for (const name of ['city.json', 'report.json', 'report.txt'])
        assert.ok(!(await readFile(path.join(out, name), 'utf8')).includes('address text'), name);
    const report = JSON.parse(await readFile(path.join(out, 'report.json'), 'utf8'));
    assert.deepEqual(report.left_out.sort((a, b) => (a.member < b.member ? -1 : 1)), [
        { member: 'license', why: 'is not a text' },
        { member: 'road.base_classes[5]', why: 'is not a text' },
        { member: 'road.counted', why: 'is not a text' },
        { member: 'service.minutes', why: 'is not a number' },
        { member: 'service.modes[0]', why: 'has 2 members that are not listed' },
    ]);
    assert.match(told, /left out: service\.modes\[0\] of city\.json: it has 2 members that are not listed/);
    const said = JSON.parse(await readFile(path.join(out, 'city.json'), 'utf8'));
    assert.deepEqual(said.service.modes, was.service.modes);
    assert.equal(said.service.minutes, undefined);
    assert.deepEqual(said.layers.find((l) => l.name === 'road').base_classes, was.layers.find((l) => l.name === 'road').base_classes);
    const count = plan.city.community.matters.list.reduce((n, m) => n + m.aliases.length, 0);
    assert.deepEqual(report.community, { groups: 12, matters: plan.city.community.matters.list.length, aliases: count });
});

test('that city.json calls them public does not open what duties speak of', async () => {
    const open = path.join(dir, 'open');
    await cp(city, open, { recursive: true });
    const manifest = JSON.parse(await readFile(path.join(open, 'city.json'), 'utf8'));
    for (const layer of manifest.layers) {
        layer.class = 'public';
        delete layer.personal;
    }
    await writeFile(path.join(open, 'city.json'), JSON.stringify(manifest));
    for (const layer of ['rental', 'premises', 'visit', 'worker', 'check']) {
        await writeFile(path.join(open, 'publish.json'), JSON.stringify({ publish: 1, layers: [{ layer, columns: ['id'] }] }));
        const { status, stderr } = await onemap('publish', open, path.join(dir, 'opened'));
        assert.equal(status, 1);
        assert.match(stderr, new RegExp(`${layer} can never be public`));
    }
});

test('without a plan nothing is public, and no folder is overwritten', async () => {
    const bare = path.join(dir, 'bare');
    await mkdir(bare);
    const none = await onemap('publish', city, path.join(dir, 'x'), '--plan', path.join(dir, 'no.json'));
    assert.equal(none.status, 1);
    assert.match(none.stderr, /is not there/);
    for (const out of [bare, city])
        for (const args of [[], ['--replace']]) {
            const { status, stderr } = await onemap('publish', city, out, ...args);
            assert.equal(status, 1);
            assert.match(stderr, args.length ? /no release/ : /exists already/);
        }
    await done('verify', city);
    const out = path.join(dir, 'kept');
    await done('publish', city, out);
    assert.equal((await onemap('publish', city, out)).status, 1);
    assert.equal((await onemap('publish', out, path.join(dir, 'x'))).status, 1);
    const file = path.join(dir, 'row.csv');
    await writeFile(file, 'lon,lat,id\n113.7,23.0,X\n');
    const into = await onemap('import', out, 'more', file);
    assert.equal(into.status, 1);
    assert.match(into.stderr, /is a release/);
    await done('verify', out);
    await writeFile(path.join(out, 'more.txt'), 'x');
    const { status, stdout } = await onemap('verify', out);
    assert.equal(status, 1);
    assert.match(stdout, /more\.txt is not named/);
});

test('its server only reads, from a folder that nobody can write to', async (t) => {
    const out = path.join(dir, 'served');
    await done('publish', city, out);
    const before = (await readdir(out, { recursive: true })).sort();
    for (const f of [...before, '.']) await chmod(path.join(out, f), /\.\w+$/.test(f) ? 0o444 : 0o555);
    const { url, port, stop } = await serve(t, out);
    const answer = await get(`${url}/stats/service_centre?by=town`);
    assert.equal(answer.status, 200);
    assert.match(answer.headers['cache-control'], /^public, max-age=300/);
    assert.ok(answer.headers.etag);
    assert.equal(answer.headers['set-cookie'], undefined);
    for (const at of ['nearest/service_centre?lon=113.7&lat=23&k=1', 'collections/town/items', 'search?q=a', 'reverse?lon=113.7&lat=23', '?f=json', 'tiles/town/9/417/222.mvt'])
        assert.match((await get(`${url}/${at}`)).headers['cache-control'], /^public, max-age=300/, at);
    // Links are of the name that was asked for: one that nobody vouches for is not kept for others.
    const cache = async (host, target) => /\r\nCache-Control: (.*)\r\n/i.exec(await raw(port, `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`))?.[1];
    for (const target of ['/catalog', '/collections/town', '/tiles/town.json', '/stats/service_centre?by=town', `/catalog?v=${answer.headers['data-sequence']}`]) {
        assert.equal(await cache('city.example', target), 'private, no-cache', target);
        assert.match(await cache('localhost', target), /^public, /, target);
    }
    const named = await serve(t, out, '--url', 'https://city.example');
    for (const host of ['evil.example', 'city.example']) {
        const told = await raw(named.port, `GET /tiles/town.json HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
        assert.match(told, /\r\nCache-Control: public, /i);
        assert.ok(told.includes('https://city.example/tiles/town/') && !told.includes('evil'));
    }
    await named.stop();
    assert.equal((await get(`${url}/ready`)).headers['cache-control'], 'no-store');
    assert.equal((await get(`${url}/?f=html`)).headers['cache-control'], 'no-cache');
    assert.equal((await get(`${url}/stats/service_centre?by=town`, { headers: { 'If-None-Match': answer.headers.etag } })).status, 304);
    for (const layer of ['address', 'rental', 'hazard', 'worker', 'nowhere'])
        for (const at of [`collections/${layer}`, `collections/${layer}/items`, `stats/${layer}`, `tiles/${layer}/9/417/223.mvt`, `tiles/heat:${layer}/9/417/223.png`, `nearest/${layer}?lon=113.7&lat=23&k=1`])
            assert.equal((await get(`${url}/${at}`)).status, 404, at);
    assert.equal((await get(`${url}/positions`)).status, 404);
    // Pictures cost: who has no token gets one as large as a large screen, and so many at once.
    const map = (width, height) => get(`${url}/map.png?layers=town&width=${width}&height=${height}`);
    for (const [width, height] of [[8192, 8192], [4096, 2161]]) {
        const large = await map(width, height);
        assert.equal(large.status, 422);
        assert.match(large.json().detail, /largest picture has 8847360/);
    }
    // More than come in at once, and nobody waits for any of them.
    const sockets = [], said = [];
    for (let i = 0; i < 60; i++) {
        const socket = net.connect(port, '127.0.0.1', () => socket.write(`GET /map.png?layers=town&width=4096&height=2160&center=113.${700 + i},23&zoom=9 HTTP/1.1\r\nHost: localhost\r\n\r\n`));
        socket.on('data', (bytes) => said.push(bytes.toString('latin1', 0, 1000)));
        socket.on('error', () => {});
        sockets.push(socket);
    }
    const first = await until('one is refused', async () => said.find((text) => text.startsWith('HTTP/1.1 429')));
    for (const socket of sockets) socket.destroy();
    assert.match(first, /\r\nRetry-After: [1-9]/);
    assert.equal((await get(`${url}/stats/service_centre?by=town`)).status, 200);
    for (const [method, target, status] of [['POST', '/positions', 404], ['POST', '/collections/service_centre/items', 405],
        ['PUT', '/collections/service_centre/items/C0001', 405], ['PATCH', '/collections/service_centre/items/C0001', 405],
        ['DELETE', '/collections/service_centre/items/C0001', 405]])
        assert.match(await raw(port, `${method} ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`), new RegExp(`^HTTP/1.1 ${status} `));
    const api = (await get(`${url}/api`)).json();
    for (const [at, item] of Object.entries(api.paths)) {
        // By POST a release is only asked (asked.test.mjs).
        assert.deepEqual(Object.keys(item), ['/nearest/{layer}', '/reach', '/search'].includes(at) ? ['get', 'post'] : ['get'], at);
        assert.notEqual(at, '/positions');
    }
    assert.equal((await get(`${url}/ready`)).json().ready, true);
    // What is searched is what went out, and no index is left in the folder.
    const found = (await get(`${url}/search?q=${encodeURIComponent('服务中心')}&limit=50`)).json().results;
    assert.ok(found.length > 3);
    assert.deepEqual([...new Set(found.map((f) => f.layer))], ['service_centre']);
    const near = (await get(`${url}/reverse?lon=${found[0].lon}&lat=${found[0].lat}`)).json();
    assert.ok(near.town.id && near.address === null && near.worker === null);
    await done('search', out, '东城');
    await stop();
    assert.deepEqual((await readdir(out, { recursive: true })).sort(), before);
    for (const f of ['.', 'layers']) await chmod(path.join(out, f), 0o755);
});

test('it is replaced in one step under its server, and never by a city', async (t) => {
    const out = path.join(dir, 'swapped');
    await done('publish', city, out);
    const { url } = await serve(t, out);
    const columns = async () => Object.keys((await get(`${url}/collections/service_centre/queryables`)).json().properties);
    assert.ok((await columns()).includes('phone'));
    const sequence = (await get(`${url}/ready`)).json().sequence;
    const same = await publish(out, () => {}, '--replace');
    assert.match(same.stdout, /nothing has changed/);
    const without = (p) => { p.layers[3].columns = p.layers[3].columns.filter((c) => c !== 'phone'); };
    assert.equal((await publish(out, without, '--replace')).status, 0);
    await until('it is replaced', async () => !(await columns()).includes('phone'));
    assert.ok((await get(`${url}/stats/town`)).json().count === 33);
    assert.ok((await get(`${url}/ready`)).json().sequence > sequence);
    assert.deepEqual((await readdir(dir)).filter((f) => f.startsWith('swapped')), ['swapped']);
    // A city in its place is not taken over.
    await writeFile(path.join(out, 'city.json'), await readFile(path.join(city, 'city.json')));
    await new Promise((r) => setTimeout(r, 2500));
    assert.equal((await get(`${url}/collections/address`)).status, 404);
    assert.equal((await get(`${url}/stats/town`)).status, 200);
});
