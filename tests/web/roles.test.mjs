// Who may ask: tokens, links, roles that change.
//
// Plan
//   token: the verb's words and faults; printed once, kept as a hash
//   gate: nothing without a token but /health, whatever the address and the
//   method; wrong, expired, revoked ones are none; nothing of it in the log
//   links: a cookie, an address without the token; on for those from elsewhere
//   changes: a server knows of a token and of its end within a second or two,
//   streams and downloads end with their token, broken roles change nothing,
//   SIGHUP drops none
//   area: whoever has one writes from and to places in it
//   lost: a list of tokens stays in force when its file is gone or damaged, and
//   lets nobody in where it was gone before the server began
//   local: without tokens only this machine is let in; behind a proxy nobody
import assert from 'node:assert/strict';
import http from 'node:http';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { urlToHttpOptions } from 'node:url';

import { ask, GEOJSON, MERGE } from './ask.mjs';
import { onemap } from './onemap.mjs';
import { askAs, bearer, groupBy, makeSynthetic, rowsOf, token } from './roles.mjs';
import { get, makeCity } from './sample.mjs';
import { serve } from './server.mjs';
import { untilWithin } from './until.mjs';

const until = untilWithin(120e3);

test('token: what the verb says', async (t) => {
    const { city } = await makeSynthetic(t, 0.001);
    for (const [args, status, says] of [
        [[], 2, /needs CITY/], [[city], 2, /needs CITY/], [[city, 'make'], 2, /none of add, list and revoke/],
        [[city, 'add'], 2, /which role/], [[city, 'revoke'], 2, /which token/], [[city, 'list', 'x'], 2, /list takes no more/],
        [[city, 'add', 'wall', '--days', '0'], 2, /--days/], [[city, 'add', 'wall', '--days', '1.5'], 2, /--days/],
        [[city, 'list', '--days', '1'], 2, /are of add/],
        [[city, 'add', 'mayor'], 1, /no role 'mayor'; there is wall, analyst, officer, ingest, admin/],
        [[city, 'add', 'officer'], 1, /--area town:ID/], [[city, 'add', 'officer', '--area', 'grid:1'], 1, /not of a grid/],
        [[city, 'add', 'officer', '--area', 'town'], 1, /as in town:T05/], [[city, 'add', 'officer', '--area', 'town:none'], 1, /no town 'none'/],
        [[city, 'add', 'wall', '--area', 'town:1'], 1, /no area/], [[city, 'revoke', '12345678'], 1, /no token 12345678/],
        [[`${city}.none`, 'list'], 1, /city.json/]]) {
        const result = await onemap('token', ...args);
        assert.equal(result.status, status, `${args.slice(1)}: ${result.stderr}`);
        assert.match(result.stderr, says);
        assert.match(result.stderr, /^onemap token: [^\n]+\n$/);
    }
    assert.equal((await onemap('token', city, 'list')).stdout, '');
    const made = await onemap('token', city, 'add', 'analyst', '--days', '7');
    assert.match(made.stdout, /^om1\.[0-9a-f]{8}\.[A-Za-z0-9_-]{43}\n$/);
    assert.ok(!made.stderr.includes(made.stdout.trim()));
    const [, id, secret] = made.stdout.trim().split('.');
    const file = path.join(city, 'tokens.json'), kept = await readFile(file, 'utf8');
    assert.ok(kept.includes(id) && !kept.includes(secret));
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.match((await onemap('token', city, 'list')).stdout, new RegExp(`${id} +analyst +- .*valid`));
    assert.equal((await onemap('token', city, 'revoke', id)).status, 0);
    assert.match((await onemap('token', city, 'list')).stdout, new RegExp(`${id} .*revoked`));
});

/** Addresses of every kind, and some that are not there. */
const TARGETS = ['/', '/analyst', '/pages/style.css', '/ready', '/metrics', '/changes', '/changes?since=0', '/positions', '/conformance', '/api',
    '/catalog', '/collections', '/collections/rental', '/collections/rental/queryables', '/collections/rental/items', '/collections/rental/items.csv',
    '/collections/rental/items/R0000001', '/collections/rental/tiles', '/collections/rental/tiles/WebMercatorQuad',
    '/collections/rental/tiles/WebMercatorQuad/0/0/0', '/collections/rental/map/tiles/WebMercatorQuad/0/0/0', '/tileMatrixSets',
    '/tiles/rental/0/0/0.mvt', '/tiles/rental/0/0/0.png', '/tiles/heat:rental/0/0/0.png', '/tiles/rental.json', '/tiles/rental/metadata.json',
    '/styles/rental.json', '/wmts?service=WMTS&request=GetCapabilities', '/wmts/1.0.0/WMTSCapabilities.xml', '/map.png?layers=rental',
    '/legend/heat:rental.json', '/legend/heat:rental.png', '/value?name=heat:rental&lon=113.7&lat=23', '/stats/rental?by=town',
    '/nearest/rental?lon=113.7&lat=23', '/hotspots/hazard', '/coverage/partition', '/nothing/of/the/kind', '/tiles/none/0/0/0.mvt'];

test('gate, links and changes', async (t) => {
    const { dir, city } = await makeSynthetic(t);
    const wall = await token(city, 'wall'), ended = await token(city, 'wall'), admin = await token(city, 'admin');
    const expired = await token(city, 'wall', '--days', '1');
    assert.equal((await onemap('token', city, 'revoke', ended.split('.')[1])).status, 0);
    const file = path.join(city, 'tokens.json'), kept = JSON.parse(await readFile(file, 'utf8'));
    kept.tokens.find((one) => one.id === expired.split('.')[1]).expires = '2020-01-01T00:00:00Z';
    await writeFile(file, JSON.stringify(kept));
    const server = await serve(t, city), { url } = server, hidden = [];

    await t.test('nothing without a token', async () => {
        const other = wall.slice(0, -1) + (wall.endsWith('A') ? 'B' : 'A');
        for (const target of TARGETS)
            for (const headers of [{}, bearer(other), bearer(ended), bearer(expired), bearer(''), { authorization: `Basic ${wall}` }, { cookie: `onemap=${wall}` },
                { cookie: `onemap_${server.port}=${other}` }, { 'x-forwarded-for': '127.0.0.1' }]) {
                // Each from elsewhere: many wrong ones of one address are braked.
                const answer = await get(`${url}${target}`, { headers: { 'x-forwarded-for': `192.0.2.${hidden.length % 250}`, ...headers } });
                assert.equal(answer.status, 401, target);
                assert.equal(answer.headers['www-authenticate'], 'Bearer');
                assert.equal(answer.headers['cache-control'], 'no-store');
                assert.ok(!answer.headers['data-sequence'] && !answer.headers.etag);
                hidden.push(answer.text());
            }
        // Not even which addresses there are.
        assert.equal(new Set(hidden).size, 1);
        for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
            assert.equal((await get(`${url}/collections/rental/items`, { method })).status, 401);
        for (const headers of [{}, bearer(other)])
            assert.deepEqual((await get(`${url}/health`, { headers })).json().status, 'ok');
        const flight = await get(`${url}/collections`, { method: 'OPTIONS', headers: { origin: 'https://map.example', 'access-control-request-headers': 'authorization' } });
        assert.equal(flight.status, 204);
        assert.deepEqual(flight.headers['access-control-allow-headers'].toLowerCase().split(/, */).sort(), ['*', 'authorization'], 'a map elsewhere may send its token: * does not mean that header');
    });

    await t.test('with one all of it, and for nobody else', async () => {
        const ask = askAs(url, admin);
        for (const target of TARGETS.slice(0, -2)) {
            if (target === '/changes') continue;  // goes on for ever
            const answer = await ask(target);
            // Some are wrong questions; none is refused.
            assert.ok([200, 204, 400, 404].includes(answer.status), `${target}: ${answer.status}`);
            if (answer.headers['data-sequence'] && answer.status === 200)
                assert.match(answer.headers['cache-control'], /private|no-store/, target);
            assert.equal((await get(`${url}${target}`)).status, 401, target);
            if (answer.headers.etag)
                assert.equal((await get(`${url}${target}`, { headers: { 'if-none-match': answer.headers.etag } })).status, 401, target);
        }
        assert.equal((await ask('/nothing/of/the/kind')).status, 404);
        assert.equal((await get(`${url}/collections`, { headers: { authorization: `bEARER  ${wall}` } })).status, 200);
    });

    await t.test('a link leaves a cookie and no token in the address', async () => {
        for (const [target, clean] of [[`/analyst?token=${wall}`, '/analyst'], [`/?token=${wall}`, '/'],
            [`/stats/hazard?by=town&token=${wall}&filter=severity%3D4`, '/stats/hazard?by=town&filter=severity%3D4'],
            [`/stats/hazard?token=${wall}&by=town`, '/stats/hazard?by=town'],
            [`/stats/hazard?=&by=town&&t%6fken=${wall}&filter=severity%3D4`, '/stats/hazard?by=town&filter=severity%3D4'], [`/analyst?%74oken=${wall}`, '/analyst']]) {
            const answer = await get(`${url}${target}`);
            assert.equal(answer.status, 303, target);
            assert.equal(answer.headers.location, clean);
            assert.equal(answer.headers['cache-control'], 'no-store');
            assert.equal(answer.headers['referrer-policy'], 'no-referrer');
            const [cookie] = answer.headers['set-cookie'];
            assert.match(cookie, /; HttpOnly/);
            assert.match(cookie, /; SameSite=Strict/);
            assert.match(cookie, /; Path=\//);
            assert.match(cookie, /; Max-Age=77[0-9]{5}\b/);
            const headers = { cookie: `a=b; ${cookie.split(';')[0]}; c=d` };
            assert.equal((await get(`${url}${clean}`, { headers })).status, 200, clean);
        }
        // A cookie that is strict is not sent where a page of another site leads to.
        const strange = await get(`${url}/analyst?token=${wall}`, { headers: { 'sec-fetch-site': 'cross-site' } });
        assert.equal(strange.status, 200);
        assert.equal(strange.headers.refresh, '0; url=/analyst');
        assert.ok(strange.headers['set-cookie'] && !strange.text().includes(wall));
        for (const bad of [ended, expired, 'x', '']) {
            const answer = await get(`${url}/analyst?token=${bad}`);
            assert.equal(answer.status, 401);
            assert.ok(!answer.headers['set-cookie'] && !answer.headers.location);
        }
        // No address that leads elsewhere.
        const odd = await get(`${url}//evil.example/?token=${wall}`);
        assert.ok(odd.status === 400 && !odd.headers.location);
    });

    await t.test('the wall writes nothing, ingest sees nothing', async () => {
        const ingest = await token(city, 'ingest');
        await until('known', async () => (await askAs(url, ingest)('/')).status === 200);
        const row = { type: 'Feature', id: 'TEST-1', geometry: { type: 'Point', coordinates: [113.75, 23.04] }, properties: { kind: 'fire', status: 'open', at: '2023-06-26T10:00:00+08:00' } };
        const post = async (who, layer = 'tip') => (await askAs(url, who)(`/collections/${layer}/items`, { method: 'POST', body: row })).status;
        assert.equal(await post(wall), 404);
        assert.equal(await post(wall, 'none'), 404);
        assert.equal(await post(ingest), 201);
        assert.equal(await post(ingest, 'none'), 404);
        assert.equal((await askAs(url, ingest)('/collections/tip/items/TEST-1')).status, 404);
        assert.equal((await askAs(url, wall)('/collections/tip/items/TEST-1')).status, 200);
        assert.deepEqual((await askAs(url, ingest)('/collections')).json().collections, []);
        assert.deepEqual((await askAs(url, ingest)('/catalog')).json().layers, []);
        assert.equal((await askAs(url, ingest)('/metrics')).status, 404);
        assert.equal((await askAs(url, admin)('/metrics')).status, 200);
    });

    await t.test('added and ended while it runs, streams too', async () => {
        const fresh = await token(city, 'analyst'), ask = askAs(url, fresh);
        await until('known', async () => (await ask('/collections')).status === 200);
        let over = false;
        const stream = http.get(`${url}/changes`, { headers: bearer(fresh) });
        const first = await new Promise((resolve, reject) => {
            stream.on('error', reject);
            stream.on('response', (answer) => {
                answer.on('data', resolve);
                for (const end of ['end', 'close', 'error']) answer.on(end, () => { over = true; });
            });
        });
        assert.match(String(first), /text\/event-stream|retry|beat/);
        assert.equal((await onemap('token', city, 'revoke', fresh.split('.')[1])).status, 0);
        await until('refused', async () => (await ask('/collections')).status === 401);
        await until('ended', () => over);
        assert.equal((await askAs(url, wall)('/collections')).status, 200);
    });

    await t.test('roles are read again, or stay as they were', async () => {
        const at = path.join(city, 'roles.json'), before = await readFile(at, 'utf8');
        const names = async () => (await askAs(url, wall)('/collections')).json().collections?.map((c) => c.id);
        assert.ok((await names()).length > 10);
        await writeFile(at, before.replace('"personal"', '"personnal"'));
        server.child.kill('SIGHUP');
        await new Promise((resolve) => setTimeout(resolve, 300));
        assert.ok((await names()).length > 10);
        const roles = JSON.parse(before);
        roles.roles.wall.layers = ['hazard', 'town'];
        await writeFile(at, JSON.stringify(roles));
        // Whoever asks meanwhile is answered.
        let asked = 0, stop = false;
        const busy = Promise.all(Array.from({ length: 4 }, async () => {
            for (; !stop; asked++) assert.equal((await askAs(url, admin)('/stats/hazard?by=town')).status, 200);
        }));
        await until('busy', () => asked > 3);
        server.child.kill('SIGHUP');
        await until('fewer', async () => (await names()).length === 2);
        const then = asked;
        await until('still busy', () => asked > then + 3);
        stop = true;
        await busy;
        assert.deepEqual((await names()).sort(), ['hazard', 'town']);
        assert.equal((await askAs(url, wall)('/stats/rental')).status, 404);
        assert.ok(!(await askAs(url, wall)('/catalog')).text().includes('rental'));
        delete roles.roles.wall;
        await writeFile(at, JSON.stringify(roles));
        server.child.kill('SIGHUP');
        await until('gone', async () => (await askAs(url, wall)('/')).status === 401);
        await writeFile(at, before);
        server.child.kill('SIGHUP');
        await until('back', async () => (await askAs(url, wall)('/')).status === 200);
    });

    await t.test('as often as the role may', async () => {
        const at = path.join(city, 'roles.json'), roles = JSON.parse(await readFile(at, 'utf8'));
        roles.roles.slow = { layers: ['*'], rate_per_s: 0.5 };
        roles.roles.five = { layers: ['*'], rate_per_s: 5 };
        await writeFile(at, JSON.stringify(roles));
        server.child.kill('SIGHUP');
        const slow = await token(city, 'slow'), other = await token(city, 'slow');
        await until('known', async () => [200, 429].includes((await askAs(url, other)('/')).status));
        let answer;
        await until('too many', async () => (answer = await askAs(url, slow)('/')).status === 429);
        assert.ok(Number(answer.headers['retry-after']) >= 1);
        assert.equal((await askAs(url, wall)('/')).status, 200);
        // A page is not left without its parts.
        const files = [...(await askAs(url, wall)('/analyst')).text().matchAll(/pages\/[\w./-]+/g)].map(([file]) => `/${file}`);
        assert.ok(files.length > 1);
        for (const file of [...files, ...files, ...files]) assert.equal((await askAs(url, slow)(file)).status, 200, file);
        const five_token = await token(city, 'five'), five = askAs(url, five_token), at_once = (n, of) => Promise.all(Array.from({ length: n }, async (_, i) => (await five(of(i))).status));
        await until('known', async () => (await five('/pages/style.css')).status === 200);
        const answered = async (n, of) => [...new Set(await at_once(n, of))].sort();
        assert.deepEqual(await answered(200, (i) => files[i % files.length]), [200]);
        // As it is written, without a client's own idea of it.
        const raw = (as, path) => new Promise((resolve, reject) => http.get({ ...urlToHttpOptions(new URL(url)), path, headers: bearer(as) }, (answer) => { answer.resume(); resolve(answer.statusCode); }).on('error', reject));
        // Answers of data are counted, however the files' folder is written into their addresses.
        let data = [];
        await until('too many', async () => (data = data.concat(await at_once(100, () => '/collections'))).includes(429));
        assert.deepEqual([...new Set(data)].sort(), [200, 429]);
        for (const way of ['/pages/../collections', '/pages/%2e%2e/collections', '/pages/x/../../collections', '/pages//collections', '//pages/../collections', '/pages/?/../collections'])
            assert.notEqual(await raw(five_token, way), 200, way);
        assert.deepEqual(await answered(200, (i) => files[i % files.length]), [200]);
    });

    const { stderr } = await server.stop();
    for (const text of [wall, ended, admin, expired]) assert.ok(!stderr.includes(text.split('.')[2]));
    assert.match(stderr, /roles\.wall\.personnal: there is no such member/);
    assert.ok(!(await readFile(file, 'utf8')).includes(wall.split('.')[2]), dir);
});

test('a list of tokens that was read stays in force, whatever becomes of its file', async (t) => {
    const { city } = await makeSynthetic(t, 0.001);
    const file = path.join(city, 'tokens.json'), wall = await token(city, 'wall'), kept = await readFile(file, 'utf8');
    const server = await serve(t, city), { url } = server, ask = askAs(url, wall);
    const status = async (headers = {}) => (await get(`${url}/collections`, { headers })).status;
    let times = 0, said = '';
    server.child.stderr.on('data', (bytes) => { said += bytes; });
    const told = (count) => until('told', () => said.split('tokens stay as they were').length > count);
    for (const text of [null, '', 'garbage', '{}', '{"tokens":[{}]}', '[]']) {
        await (text === null ? rm(file) : writeFile(file, text));
        await told(++times);
        assert.equal(await status(), 401, `${text}`);
        assert.equal((await ask('/collections')).status, 200, `${text}`);
    }
    await writeFile(file, kept);
    assert.equal((await onemap('token', city, 'revoke', wall.split('.')[1])).status, 0);
    await until('refused', async () => (await ask('/collections')).status === 401);
    assert.equal(await status(), 401);
    // A list without names lets nobody in, then or at the start.
    await writeFile(file, '{"tokens":[]}');
    const late = await token(city, 'wall');
    await until('known', async () => (await askAs(url, late)('/collections')).status === 200);
    await writeFile(file, '{"tokens":[]}');
    await until('forgotten', async () => (await askAs(url, late)('/collections')).status === 401);
    assert.equal(await status(), 401);
    await rm(file);
    await told(++times);
    assert.equal(await status(), 401);
    await server.stop();
    await writeFile(file, '{"tokens":[]}');
    const empty = await serve(t, city);
    assert.equal((await get(`${empty.url}/collections`)).status, 401);
    await empty.stop();
    // What cannot be read is no list, and there is no server.
    for (const text of ['', 'garbage', '{"tokens":1}']) {
        await writeFile(file, text);
        await assert.rejects(serve(t, city), /tokens\.json/);
    }
});

test('a download ends with the token it was begun with', async (t) => {
    const { city } = await makeSynthetic(t, 0.006);
    const who = { analyst: await token(city, 'analyst'), other: await token(city, 'analyst'), admin: await token(city, 'admin') };
    const { url } = await serve(t, city);
    // Longer than what the kernel holds of it on the way.
    const begin = (text) => new Promise((resolve, reject) => {
        http.get(`${url}/collections/address/items.geojson`, { headers: bearer(text) }, (response) => {
            response.once('data', () => { response.pause(); resolve(response); });
        }).on('error', reject);
    });
    const rest = (response) => new Promise((resolve) => {
        response.on('error', () => {});
        response.on('close', () => resolve(response.complete));
        response.resume();
    });
    const mine = await begin(who.analyst), others = await begin(who.other);
    assert.deepEqual([mine.statusCode, others.statusCode], [200, 200]);
    const sent = async () => Number(/^onemap_requests_in_flight (\d+)/m.exec((await askAs(url, who.admin)('/metrics')).body.toString())[1]);
    assert.equal(await sent(), 3);
    assert.equal((await onemap('token', city, 'revoke', who.analyst.split('.')[1])).status, 0);
    await until('nobody sends it any more', async () => (await sent()) === 2);
    assert.equal(await rest(mine), false);
    assert.equal(await rest(others), true);
});

test('a city that has had tokens lets nobody in when their list is gone', async (t) => {
    const { dir, city } = await makeSynthetic(t, 0.001);
    const file = path.join(city, 'tokens.json'), lock = path.join(city, 'tokens.lock'), charge = path.join(dir, 'charge');
    // Whoever ends a token that never was has not given the city one.
    assert.equal((await onemap('token', city, 'revoke', '12345678')).status, 1);
    const open = await serve(t, city);
    assert.equal((await get(`${open.url}/collections`)).status, 200);
    await open.stop();
    const old = await token(city, 'admin');
    await rm(file);
    const write = (url) => ask(`${url}/collections/tip/items`, { method: 'POST', body: {} });
    const closed = await serve(t, city);
    for (const target of ['/', '/ready', '/collections', '/collections/rental/items?limit=1', '/tiles/rental/0/0/0.mvt']) {
        const answer = await get(closed.url + target);
        assert.equal(answer.status, 401, target);
        assert.match(answer.text(), /tokens\.json\) is gone/, target);
        assert.equal((await askAs(closed.url, old)(target)).status, 401, target);
    }
    assert.equal((await write(closed.url)).status, 401);
    assert.match((await closed.stop()).stderr, /^[^\n]*error[^\n]*tokens\.json\) is gone/im);
    assert.match((await onemap('token', city, 'list')).stderr, /list is gone/);
    assert.match((await onemap('verify', city)).stdout, /^tokens +\S*tokens\.lock says [^\n]*nobody is let in/m);
    await writeFile(charge, 'the-token-of-those-in-charge\n');
    const charged = await serve(t, city, '--in-charge-token-file', charge);
    const ready = await askAs(charged.url, 'the-token-of-those-in-charge')('/ready');
    assert.equal(ready.status, 503);
    assert.match(ready.json().tokens, /tokens\.json\) is gone/);
    assert.equal((await get(`${charged.url}/collections`)).status, 401);
    // New ones are known at once, and all is as it should be.
    const fresh = await token(city, 'wall');
    await until('known', async () => (await askAs(charged.url, fresh)('/ready')).status === 200);
    assert.equal((await askAs(charged.url, old)('/collections')).status, 401);
    await charged.stop();
    // Without the mark it is a city that nobody has given any.
    await rm(file);
    await rm(lock);
    const anew = await serve(t, city);
    assert.equal((await get(`${anew.url}/collections`)).status, 200);
});

test('without tokens: this machine alone, and not through a proxy', async (t) => {
    const { dir, city } = await makeCity(t);
    const open = await serve(t, city);
    assert.equal((await get(`${open.url}/collections`)).status, 200);
    await open.stop();
    await writeFile(path.join(dir, 'serve.json'), JSON.stringify({ url: 'https://map.example' }));
    const proxied = await serve(t, city, '--config', path.join(dir, 'serve.json'));
    assert.equal((await get(`${proxied.url}/collections`)).status, 401);
    assert.equal((await get(`${proxied.url}/health`)).status, 200);
    await proxied.stop();
    const made = await token(city, 'wall');
    const again = await serve(t, city, '--config', path.join(dir, 'serve.json'));
    const answer = await get(`${again.url}/analyst?token=${made}`);
    assert.match(answer.headers['set-cookie'][0], /; Secure/);
    await again.stop();
    // A release has nothing to hide, and takes nothing.
    const file = path.join(city, 'city.json'), manifest = JSON.parse(await readFile(file, 'utf8'));
    manifest.release = { of: 'test' };
    await writeFile(file, JSON.stringify(manifest));
    const release = await serve(t, city, '--config', path.join(dir, 'serve.json'));
    assert.equal((await get(`${release.url}/collections`)).status, 200);
    assert.equal((await get(`${release.url}/collections/place/items`, { method: 'POST' })).status, 405);
});

test('an officer writes in the own area, and what is elsewhere is not there', async (t) => {
    const { city } = await makeSynthetic(t, 0.01), at = path.join(city, 'roles.json');
    const roles = JSON.parse(await readFile(at, 'utf8'));
    roles.roles.clerk = { layers: ['*'], personal: 'rows', area: ['town', 'village'], write: ['tip', 'road', 'worker'] };
    await writeFile(at, JSON.stringify(roles));
    const tips = groupBy(await rowsOf(city, 'tip'), (row) => row.town);
    const [[town, mine], [, theirs]] = Object.entries(tips).filter(([id]) => id).sort((a, b) => b[1].length - a[1].length);
    const who = await token(city, 'clerk', '--area', `town:${town}`), admin = await token(city, 'admin');
    const { url } = await serve(t, city), items = '/collections/tip/items', own = (n, as = who) => `${town}-${as.split('.')[1]}-${n}`;
    const send = (method, target, body, { type = GEOJSON, as = who, more = {} } = {}) => askAs(url, as)(target, { method, body, type, headers: more });
    const feature = (id, row, more = {}) => ({ type: 'Feature', id, geometry: { type: 'Point', coordinates: [Number(row.lon), Number(row.lat)] },
        properties: { kind: row.kind, status: row.status, at: '2023-06-26T10:00:00+08:00', ...more } });
    const merge = { type: MERGE }, all = async () => Number((await askAs(url, admin)('/stats/tip')).json().count);
    const before = await all();
    // What others have is as what nobody has, whatever it is compared with.
    for (const method of ['PATCH', 'DELETE'])
        for (const tag of ['*', '"1"', '"1", "2"']) {
            const [none, never] = await Promise.all([theirs[0].id, 'C-none'].map((id) => send(method, `${items}/${id}`,
                method === 'PATCH' ? { type: 'Feature', properties: { status: mine[1].status } } : undefined, { type: MERGE, more: { 'if-match': tag } })));
            assert.deepEqual([none.status, none.text()], [404, never.text()], `${method} ${tag}`);
            assert.equal(never.status, 404);
        }
    // Nor does making rows tell which ids there are: those of others, of nobody, near the own ones.
    for (const [method, at] of [['POST', () => items], ['POST', () => `${items}?upsert=true`], ['POST', () => `${items}?partial=true`], ['PUT', (id) => `${items}/${id}`]])
        for (const row of [mine[0], theirs[0]]) {
            const said = {};
            for (const id of [theirs[0].id, 'C-none', `${town}1-1`, `${town}`, `${town}-`])
                for (const more of [{}, { 'idempotency-key': `${method}${id}` }, ...method === 'PUT' ? [{ 'if-none-match': '*' }, { 'if-match': '*' }, { 'if-match': '"1", "2"' }] : []]) {
                    const answer = await send(method, at(id), feature(id, row), { more });
                    assert.equal(answer.status, 404, `${method} ${id} ${Object.keys(more)}: ${answer.text()}`);
                    (said['if-match' in more] ??= new Set()).add(answer.text());
                }
            for (const texts of Object.values(said)) assert.equal(texts.size, 1, [...texts].join(''));
        }
    // Registers number by units, too, and tokens of the same unit write: of none of their ids it is told where they are.
    const fellow = await token(city, 'clerk', '--area', `town:${town}`), elsewhere = [`${town}-1`, `${town}-${fellow.split('.')[1]}-1`, `${town}-${who.split('.')[1]}`];
    for (const id of elsewhere) assert.equal((await send('POST', items, feature(id, theirs[0]), { as: admin })).status, 201);
    const never = [`${town}-2`, `${town}-${fellow.split('.')[1]}-2`, `${town}-${who.split('.')[1]}-`], csvOf = (id) => `id,lon,lat,kind,status,at\n${id},${mine[0].lon},${mine[0].lat},${mine[0].kind},${mine[0].status},2023-06-26T10:00:00+08:00\n`;
    const lineOf = (...ids) => ids.map((id) => JSON.stringify(feature(id, mine[0]))).join('\n'), ndjson = 'application/x-ndjson', patch = JSON.stringify({ type: 'Feature', properties: { status: mine[1].status } });
    const ways = [...['', '?upsert=true', '?partial=true', '?partial=true&upsert=true'].flatMap((q) => [[q, (id) => JSON.stringify(feature(id, mine[0])), 'application/geo+json'], [q, (id) => lineOf(own(20), id), ndjson], [q, csvOf, 'text/csv']])
        .map(([q, body, type]) => (id, more) => send('POST', `${items}${q}`, body(id), { type, more })),
    ...[{}, { 'if-match': '*' }, { 'if-match': '"1"' }, { 'if-none-match': '*' }].map((head) => (id, more) => send('PUT', `${items}/${id}`, feature(id, mine[0]), { more: { ...more, ...head } })),
    ...['PATCH', 'DELETE'].flatMap((method) => [{}, { 'if-match': '*' }].map((head) => (id, more) => send(method, `${items}/${id}`, method === 'PATCH' ? patch : undefined, { type: MERGE, more: { ...more, ...head } })))];
    for (const [n, way] of ways.entries())
        for (const [i, id] of elsewhere.entries())
            for (const more of [{}, { 'idempotency-key': `way-${n}-${i}` }]) {
                const [there, nowhere] = [await way(id, more), await way(never[i], more['idempotency-key'] ? { 'idempotency-key': `${more['idempotency-key']}-never` } : {})];
                assert.deepEqual([there.status, there.text()], [404, nowhere.text()], `${n} ${id}`);
                assert.equal(nowhere.status, 404, `${n} ${id}`);
            }
    for (const id of elsewhere) assert.equal((await send('DELETE', `${items}/${id}`, undefined, { as: admin })).status, 204);
    assert.equal((await askAs(url, who)(`${items}/${own(20)}`)).status, 404);
    assert.equal(await all(), before);
    // The own rows, to other places of the town.
    assert.equal((await send('POST', items, feature(own(1), mine[0]))).status, 201);
    assert.equal((await send('PATCH', `${items}/${own(1)}`, { type: 'Feature', properties: { status: mine[1].status } }, merge)).status, 200);
    assert.equal((await send('PATCH', `${items}/${own(1)}`, { type: 'Feature', geometry: feature('', mine[2]).geometry }, merge)).status, 200);
    assert.equal((await send('PUT', `${items}/${own(1)}`, feature(own(1), mine[3]))).status, 200);
    assert.equal((await send('PUT', `${items}/${own(2)}`, feature(own(2), mine[3]))).status, 201);
    assert.equal((await send('DELETE', `${items}/${own(2)}`)).status, 204);
    assert.equal((await askAs(url, who)(`${items}/${own(1)}`)).json().properties.town, town);
    // What is elsewhere, or would be.
    const other = theirs[0], none = await send('DELETE', `${items}/C-none`);
    assert.equal(none.status, 404);
    for (const [method, target, body, how] of [
        ['DELETE', `${items}/${other.id}`], ['PATCH', `${items}/${other.id}`, { type: 'Feature', properties: { status: mine[0].status } }, merge],
        ['PUT', `${items}/${other.id}`, feature(other.id, mine[0])], ['PUT', `${items}/${other.id}`, feature(other.id, other)], ['POST', items, feature(other.id, mine[0])],
        ['POST', `${items}?upsert=true`, feature(other.id, mine[0])], ['POST', items, feature(own(3), other)], ['PUT', `${items}/${own(3)}`, feature(own(3), other)],
        ['PUT', `${items}/${own(1)}`, feature(own(1), other)], ['PATCH', `${items}/${own(1)}`, { type: 'Feature', geometry: feature('', other).geometry }, merge],
        ['POST', items, [feature(own(4), mine[0]), feature(own(5), other)].map((f) => JSON.stringify(f)).join('\n'), { type: 'application/x-ndjson' }],
        ['POST', `${items}?partial=true`, [feature(own(4), mine[0]), feature(own(5), other)].map((f) => JSON.stringify(f)).join('\n'), { type: 'application/x-ndjson' }],
        ['POST', '/collections/premises/items', feature(own(6), mine[0])], ['POST', '/collections/none/items', feature(own(6), mine[0])],
        ['POST', '/collections/road/items', { type: 'Feature', id: own(7), geometry: { type: 'LineString', coordinates: [[113.75, 23], [113.751, 23]] }, properties: {} }],
        ['POST', '/positions', JSON.stringify({ worker: 'G00001', lon: Number(mine[0].lon), lat: Number(mine[0].lat), at: '2023-06-27T00:00:00+08:00', on_duty: true }), { type: 'application/x-ndjson' }]]) {
        const answer = await send(method, target, body, how);
        assert.equal(answer.status, 404, `${method} ${target}: ${answer.text()}`);
    }
    assert.equal((await send('DELETE', `${items}/${other.id}`)).text(), none.text());
    assert.equal(await all(), before + 1);
    assert.equal((await askAs(url, admin)(`${items}/${other.id}`)).json().properties.status, other.status);
    assert.equal((await askAs(url, who)(`${items}/${own(1)}`)).json().properties.town, town);
    // What changed elsewhere is not told, what changed here is, and not where. Far
    // from the border: changes are told by cells of 150 m.
    const apart = (row) => Math.min(...mine.map((m) => Math.hypot(m.lon - row.lon, m.lat - row.lat)));
    const far = theirs.reduce((best, row) => apart(row) > apart(best) ? row : best);
    const told = async (as, since) => (await askAs(url, as)(`/changes?since=${since}`)).json();
    // What is told of whom is known from the first question on.
    await told(who, 0);
    for (const [id, row, here] of [['C-8', far, false], ['C-9', mine[0], true]]) {
        const since = (await told(admin, 0)).next;
        const stream = new AbortController(), events = [];
        const listening = fetch(`${url}/changes?since=${since}`, { headers: { ...bearer(who), accept: 'text/event-stream' }, signal: stream.signal })
            .then(async (answer) => { for await (const bytes of answer.body) events.push(Buffer.from(bytes).toString()); }).catch(() => 0);
        assert.equal((await send('POST', items, feature(id, row), { as: admin })).status, 201);
        assert.deepEqual(Object.keys((await told(admin, since)).layers), ['tip']);
        assert.deepEqual((await told(who, since)).layers, here ? { tip: { rows: 0, level: 0, cells: [[0, 0]] } } : {}, id);
        // A row of here comes behind one of elsewhere: what is told until then is all.
        if (!here) assert.equal((await send('POST', items, feature('C-here', mine[1]), { as: admin })).status, 201);
        await until('told of tips', () => events.join('').includes('"tip"'));
        stream.abort();
        await listening;
        const changes = events.join('').split('\n\n').filter((e) => e.includes('"layers"'));
        assert.equal(changes.length, 1, events.join(''));
        assert.ok(changes[0].includes('"tip":{"rows":0,"level":0,"cells":[[0,0]]}'));
    }
});

test('keys of writes are each token\'s own', async (t) => {
    const { city } = await makeSynthetic(t, 0.004), [row] = await rowsOf(city, 'tip');
    const who = [await token(city, 'admin'), await token(city, 'ingest'), await token(city, 'ingest')], { url } = await serve(t, city);
    const body = { type: 'Feature', id: 'K-1', geometry: { type: 'Point', coordinates: [Number(row.lon), Number(row.lat)] }, properties: { kind: row.kind, status: row.status, at: '2023-06-26T10:00:00+08:00' } };
    const send = async (as) => {
        const answer = await askAs(url, as)('/collections/tip/items', { method: 'POST', body, headers: { 'idempotency-key': 'k'.repeat(60) } });
        return [answer.status, answer.headers['idempotency-replayed'] ?? null];
    };
    assert.deepEqual(await send(who[0]), [201, null]);
    assert.deepEqual(await send(who[0]), [201, 'true']);
    // To anybody else it is a row that is there.
    for (const other of who.slice(1)) assert.deepEqual(await send(other), [409, null]);
    assert.deepEqual(await send(who[0]), [201, 'true']);
});
