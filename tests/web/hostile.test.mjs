/* Hostile addresses: what a tile or document must answer to what no client
 * means. One table, each line with its expected answer, sent as raw bytes
 * where a client library would tidy it up. Numbers in brackets are those of
 * the list of bad inputs that the project was given.
 */
import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';
import { gzipSync } from 'node:zlib';

import { charge, raw, serve, statusOf } from './server.mjs';
import { untilWithin } from './until.mjs';
import { get, makeCity, tileX, tileY, WEST, SOUTH } from './sample.mjs';

const until = untilWithin(60000);
const Z = 11, X = tileX(WEST + 0.17, Z), Y = tileY(SOUTH + 0.23, Z);
const HEAT = `/tiles/heat:place/${Z}/${X}/${Y}.png`;
const ITEMS = '/collections/place/items';
const LONG = '1'.repeat(40);

/* target, status (or those allowed), parameter named. */
const TABLE = [
    // [1] out of the folder, encoded and not
    ['/tiles/a/../../etc/passwd', 400], ['/tiles/%2e%2e/%2e%2e/etc/passwd', 400], ['/tiles/..%2f..%2fetc%2fpasswd', 400], ['/styles/..%5c..%5cx.json', 400],
    ['/tiles/heat:place/..;/1/1.png', [400, 404]], ['/wmts/1.0.0/../../etc/passwd', 400], ['/collections/%2e%2e/items', 400], ['/tileMatrixSets/../catalog', 400],
    // [2] NUL, here and there
    ['/tiles/heat%00.png', 400], [`/tiles/heat:place%00/${Z}/${X}/${Y}.png`, 400], [`${ITEMS}?filter=%00`, 400], ['/wmts?SERVICE=WMTS%00', 400], ['/catalog%00.json', 400],
    // [3] numbers that are none, or too large
    ['/tiles/heat:place/-1/0/0.png', 400], ['/tiles/heat:place/31/0/0.png', 404], ['/tiles/heat:place/23/0/0.png', 404], ['/tiles/heat:place/3/8/0.png', 404],
    ['/tiles/heat:place/3/0/8.png', 404], ['/tiles/heat:place/1e3/0/0.png', 400], ['/tiles/heat:place/+1/0/0.png', 400], ['/tiles/heat:place/%2B1/0/0.png', 400],
    ['/tiles/heat:place/0x10/0/0.png', 400], ['/tiles/heat:place/%D9%A3/0/0.png', 400], [`/tiles/heat:place/${LONG}/0/0.png`, 400], [`/tiles/heat:place/3/${LONG}/0.png`, 400],
    ['/tiles/heat:place/03/0/0.png', 400], ['/tiles/heat:place/3/1.0/0.png', 400], ['/tiles/heat:place/%203/0/0.png', 400], ['/tiles/place/3/8/0.mvt', 404], ['/tiles/place/-0/0/0.mvt', 400],
    [`/collections/place/tiles/WebMercatorQuad/${LONG}/0/0`, 400], ['/collections/place/tiles/WebMercatorQuad/3/8/0', 404], ['/collections/place/tiles/WebMercatorQuad/3/0/8', 404],
    ['/collections/place/map/tiles/CGCS2000Quad/3/4/0', 404], [`/wmts/1.0.0/heat:place/dark/WebMercatorQuad/${LONG}/0/0.png`, 404], ['/wmts/1.0.0/heat:place/dark/WebMercatorQuad/3/8/0.png', 400],
    ['/wmts/1.0.0/heat:place/dark/WebMercatorQuad/3/0/0x1.png', 404],
    // [4] scales that are none
    [`/tiles/heat:place/${Z}/${X}/${Y}@999x.png`, 404], [`/tiles/heat:place/${Z}/${X}/${Y}@-2x.png`, 404], [`/tiles/heat:place/${Z}/${X}/${Y}@2x@2x.png`, 404],
    [`/tiles/heat:place/${Z}/${X}/${Y}@2X.png`, 404], [`/tiles/heat:place/${Z}/${X}/${Y}@2x.mvt`, 400], [`/tiles/heat:place/${Z}/${X}/${Y}.png.png`, 400], [`/tiles/heat:place/${Z}/${X}/${Y}`, 400],
    [`/tiles/heat:place/${Z}/${X}/.png`, [400, 404]], [`/tiles/heat:place/${Z}/${X}/${Y}.exe`, 400], [`/tiles/heat:place/${Z}/${X}/${Y}.png/`, 404],
    // [5] boxes
    [`${ITEMS}?bbox=NaN,1,2,3`, 400, 'bbox'], [`${ITEMS}?bbox=inf,1,2,3`, 400, 'bbox'], [`${ITEMS}?bbox=-inf,-inf,inf,inf`, 400, 'bbox'], [`${ITEMS}?bbox=114,22,113,23`, 200],
    [`${ITEMS}?bbox=113,23,114,22`, 400, 'bbox'], [`${ITEMS}?bbox=181,1,182,2`, 400, 'bbox'], [`${ITEMS}?bbox=1,91,2,92`, 400, 'bbox'], [`${ITEMS}?bbox=1,2,3`, 400, 'bbox'],
    [`${ITEMS}?bbox=${'1'.repeat(400)},1,2,3`, 400, 'bbox'], [`${ITEMS}?bbox=113%2C5,22,114,23`, 400, 'bbox'], [`${ITEMS}?bbox=113,5;22;114;23`, 400, 'bbox'], [`${ITEMS}?bbox=`, 400, 'bbox'],
    [`${ITEMS}?bbox=1,2,3,4,`, 400, 'bbox'], [`${ITEMS}?bbox=,,,`, 400, 'bbox'], [`${ITEMS}?bbox=0x1,1,2,3`, 400, 'bbox'], [`${ITEMS}?bbox=1e999,1,2,3`, 400, 'bbox'],
    ['/map.png?layers=heat:place&bbox=NaN,22,114,23&width=64&height=64', 400, 'bbox'], ['/map.png?layers=heat:place&bbox=114,22,113,23&width=64&height=64', 400, 'bbox'],
    ['/map.png?layers=heat:place&bbox=113,22,114,inf&width=64&height=64', 400, 'bbox'], ['/map.png?layers=heat:place&bbox=113,22,114,23&width=1e9&height=64', 400, 'width'],
    ['/stats/place?bbox=NaN,1,2,3', 400, 'bbox'], ['/stats/place?bbox=113,5;22;114;23', 400, 'bbox'], [`${ITEMS}.csv?bbox=1,2,3,1e400`, 400, 'bbox'],
    // [6] across the antimeridian; the whole world is a page
    [`${ITEMS}?bbox=170,-10,-170,10`, 200], [`${ITEMS}?bbox=-180,-90,-181,90`, 400, 'bbox'], [`${ITEMS}?bbox=180,90,-180,90`, 200],
    [`${ITEMS}?bbox=170,10,-170,-10`, 400, 'bbox'], ['/map.png?layers=heat:place&bbox=170,-10,-170,10&width=64&height=64', 400, 'bbox'], [`${ITEMS}?bbox=-180,-90,180,90&limit=1`, 200],
    // [7] what does not exist
    ['/tiles/nowhere/0/0/0.png', 404], ['/tiles/nowhere/0/0/0.mvt', 404], ['/tiles/heat:nowhere.json', 404], ['/styles/nowhere.json', 404], ['/collections/nowhere/items', 404],
    ['/collections/nowhere/items.fgb', 404], [`${ITEMS}/none`, 404], ['/tiles/heat:/0/0/0.png', 404], ['/tiles/heat:heat:place/0/0/0.png', 404], ['/collections/PLACE', 404], ['/Collections', 404],
    // [8] too long
    [`${ITEMS}?x=${'a'.repeat(20000)}`, [414, 431]], [`/${'a'.repeat(9000)}`, 414],
    // [20] limits and cursors
    [`${ITEMS}?limit=0`, 400, 'limit'], [`${ITEMS}?limit=-1`, 400, 'limit'], [`${ITEMS}?limit=1e9`, 400, 'limit'], [`${ITEMS}?limit=`, 400, 'limit'], [`${ITEMS}?limit=${LONG}`, 400, 'limit'],
    [`${ITEMS}?next=`, 400, 'next'], [`${ITEMS}?next=1.2`, 400, 'next'], [`${ITEMS}?next=3.0.99999999`, 400, 'next'], [`${ITEMS}?next=3.99.0`, 400, 'next'], [`${ITEMS}?next=1.0.0`, 400, 'next'],
    [`${ITEMS}?next=3.0.0;DROP`, 400, 'next'], [`${ITEMS}?next=-3.0.0`, 400, 'next'], [`${ITEMS}?next=${LONG}.0.0`, 400, 'next'],
    // [21] languages that nobody evaluates
    [`${ITEMS}?kind=${encodeURIComponent("' OR '1'='1")}`, 200], [`${ITEMS}?filter=${encodeURIComponent("kind = '${jndi:ldap://x/a}'")}`, 200], [`${ITEMS}?filter=${encodeURIComponent('1=1; DROP TABLE x')}`, 400, 'filter'],
    [`${ITEMS}?filter=${encodeURIComponent('exec(java.lang.Runtime)')}`, 400, 'filter'], [`${ITEMS}?sortby=${encodeURIComponent('id;--')}`, 400, 'sortby'], [`${ITEMS}?properties=${encodeURIComponent('../id')}`, 400, 'properties'],
    [`${ITEMS}?filter=${'('.repeat(3000)}`, [400, 413], 'filter'], [`${ITEMS}?filter=${encodeURIComponent('NOT '.repeat(1000) + 'weight = 1')}`, 200], [`${ITEMS}?filter=${'NOT('.repeat(500)}`, [400, 413], 'filter'], [`${ITEMS}?crs=${encodeURIComponent('+proj=longlat +datum=WGS84')}`, 400, 'crs'],
    [`${ITEMS}?crs=${encodeURIComponent('/etc/passwd')}`, 400, 'crs'], [`${ITEMS}?crs=http://169.254.169.254/`, 400, 'crs'],
    // [22] styles and addresses of others
    [`${HEAT}?SLD=http://169.254.169.254/`, 400, 'SLD'], [`${HEAT}?SLD_BODY=%3Cx/%3E`, 400, 'SLD_BODY'], [`${HEAT}?url=http://localhost/`, 400, 'url'], ['/styles/place.json?sprite=http://x/', 400, 'sprite'],
    // [24] text that a page would run
    ['/tiles/%3Cscript%3E/0/0/0.png', 404], [`${HEAT}?palette=%3Cscript%3E`, 400, 'palette'], ['/styles/%3Cimg%20src=x%3E.json', 404], [`${ITEMS}?%3Cscript%3E=1`, 400, '<script>'],
    ['/wmts?SERVICE=%3Cscript%3E&REQUEST=%3Cb%3E', 400], ['/wmts/1.0.0/%3Cscript%3E/dark/WebMercatorQuad/0/0/0.png', 404],
    // Addresses that a proxy and we could read differently
    ['//tiles/heat:place.json', 400], ['/tiles//heat:place.json', 400], ['/./catalog', 400], ['/catalog/', 404], ['/catalog#x', 400], ['/catalog%zz', 400], ['/catalog%', 400], ['/catalog%0d%0aX:1', 400],
    ['/\xff', 400], ['/%c0%af', 400], ['/%ed%a0%80', 400], ['/collections?f=json&f=json', 400], ['/collections?f=json;f=html', 400, 'f'], ['/collections?', 200], ['/collections?&&', 200], ['/collections?=x', 400],
    // Times
    [`${HEAT}?datetime=${LONG}`, 400, 'datetime'], [`${HEAT}?datetime=2023-02-30`, 400, 'datetime'], [`${HEAT}?datetime=2023-03/2023-02`, 400, 'datetime'], [`${HEAT}?datetime=../..`, 200], ['/tiles/heat:place.json?datetime=x', 400, 'datetime'],
    // Files
    [`${ITEMS}.fgb%00`, 400], ['/collections/place/items.', 404], ['/collections/place/items.gpkg.exe', 404], ['/collections/place/items.fgb/..', 400], [`${ITEMS}.csv?f=csv`, 400, 'f'], [`${ITEMS}.csv?nothing=1`, 400, 'nothing'],
    // Forms
    ['/collections?f=', 400, 'f'], ['/catalog?f=xml', 400, 'f'], ['/conformance?f=JSON', 400, 'f'], ['/api?f=yaml', 400, 'f'],
    // Sequences
    ['/catalog?v=-1', 400, 'v'], [`/catalog?v=${LONG}`, 400, 'v'], ['/catalog?v=1&v=2', 400],
];

test('hostile addresses', async (t) => {
    const { dir, city } = await makeCity(t);
    const { args, auth } = await charge(dir);
    const server = await serve(t, city, ...args);
    const ask = (target, head = '') => raw(server.port, `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${head}\r\n`);
    const health = async () => (await get(`${server.url}/health`)).status;

    await t.test('each has its answer, tells the parameter and echoes nothing to run', async () => {
        const wrong = [];
        for (const [target, wanted, parameter] of TABLE) {
            const answer = await ask(target), name = target.length > 90 ? `${target.slice(0, 90)}...` : target;
            const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
            if (![wanted].flat().includes(status)) wrong.push(`${name}: ${status}, not ${wanted}`);
            if (status < 400 || status === 431) continue;
            const [head, body] = [answer.slice(0, answer.indexOf('\r\n\r\n')), answer.slice(answer.indexOf('\r\n\r\n') + 4)];
            assert.match(head, /Content-Type: application\/(problem\+json|xml)/, name);
            assert.match(head, /X-Content-Type-Options: nosniff/, name);
            assert.doesNotMatch(head, /Access-Control/i, name);
            assert.doesNotMatch(body, /passwd|root:|<script>[^"]*$|SQL|\.c:\d/, name);
            if (/xml/.test(/Content-Type: (.*)/.exec(head)[1])) assert.doesNotMatch(body, /<script|<b>/, name);
            if (parameter && status !== 413) assert.equal(JSON.parse(Buffer.from(body, 'latin1').toString()).parameter, parameter, name);
        }
        assert.deepEqual(wrong, []);
        assert.equal(await health(), 200);
    });

    await t.test('what is not there says so in the same words and heads', async () => {
        const plain = (answer) => answer.replace(/Date: .*\r\n/, '').replace(/Content-Length: .*\r\n/, '');
        const one = plain(await ask('/collections/nowhere')), two = plain(await ask('/collections/elsewhere'));
        assert.equal(one, two);
    });

    await t.test('methods, bodies and versions [12, 13, 16, 23]', async () => {
        for (const target of [HEAT, '/wmts', '/catalog', '/collections/place/items.fgb']) {
            for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'CONNECT', 'PROPFIND']) {
                const answer = await raw(server.port, `${method} ${target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
                assert.match(answer, /^HTTP\/1\.1 405 [^]*\r\nAllow: GET, HEAD, OPTIONS\r\n/, `${method} ${target}`);
            }
            assert.equal(await statusOf(server.port, target, 'OPTIONS'), 204, target);
        }
        for (const method of ['PUT', 'DELETE', 'PATCH', 'TRACE', 'CONNECT', 'PROPFIND'])
            assert.match(await raw(server.port, `${method} ${ITEMS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`),
                /^HTTP\/1\.1 405 [^]*\r\nAllow: GET, HEAD, POST, OPTIONS\r\n/, `${method} ${ITEMS}`);
        const xml = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><GetTile>&a;</GetTile>';
        const posted = await raw(server.port, `POST /wmts HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: ${xml.length}\r\nConnection: close\r\n\r\n${xml}`);
        assert.match(posted, /^HTTP\/1\.1 (405|415) /);
        const head = `GET ${HEAT} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n`;
        for (const extra of ['Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', 'Content-Length: 5\r\nContent-Length: 6\r\n', 'Host: other\r\n', 'Range: bytes=0-1\r\nRange: bytes=2-3\r\n'])
            assert.match(await raw(server.port, `${head}${extra}\r\nabcde`), /^(HTTP\/1\.1 4\d\d |$)/, extra);
        // Two ends of one body are told as such, whatever the length and the order.
        const chunked = 'Transfer-Encoding: chunked\r\n';
        for (const extra of [`Content-Length: 5\r\n${chunked}`, `${chunked}Content-Length: 5\r\n`, `Content-Length: 0\r\n${chunked}`])
            for (const method of ['GET', 'POST'])
                assert.match(await raw(server.port, `${method} ${ITEMS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\n${extra}\r\n0\r\n\r\nGET /health HTTP/1.1\r\nHost: localhost\r\n\r\n`),
                    /^HTTP\/1\.1 400 (?![^]*HTTP\/1\.1)[^]*Transfer-Encoding and Content-Length/, `${method} ${extra}`);
        // The body ends where any other program thinks that it ends, or nothing is answered and nothing behind it looked at.
        const form = 'lon=113.75&lat=23.02&k=1&properties=id', size = form.length, inner = 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n';
        const pieces = `${size.toString(16)}\r\n${form}\r\n0\r\n\r\n`, length = (n) => `Content-Length: ${n}\r\n`;
        for (const [extra, body] of [[length(size) + length(size + inner.length), form], [length(size + inner.length) + length(size), form], [length(size) + length(size), form],
            [length(`${size}, ${size}`), form], [length(`+${size}`), form], [length(`0x${size.toString(16)}`), form], [length(''), form], [length(`0${size}`), form],
            [`Content-Length : ${size}\r\n`, form], [`Content-Length\t: ${size}\r\n`, form], [`X y: 1\r\n${length(size)}`, form], ['Transfer-Encoding : chunked\r\n', pieces],
            [`Transfer-Encoding : chunked\r\n${length(size)}`, form], ['Transfer-Encoding: xchunked\r\n', pieces], ['Transfer-Encoding: identity\r\n', pieces],
            ['Transfer-Encoding: chunked, identity\r\n', pieces], ['Transfer-Encoding: gzip, chunked\r\n', pieces], [`${chunked}${chunked}`, pieces], ['Transfer-Encoding:\r\n', pieces]])
            for (const line of ['POST /nearest/place', 'GET /ready', 'OPTIONS /catalog', 'POST /collections/place/items'])
                assert.match(await raw(server.port, `${line} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n${extra}\r\n${body}${inner}`),
                    /^HTTP\/1\.1 400 (?![^]*HTTP\/1\.1 (?!400 ))/, `${line} ${extra}`);
        for (const [extra, body] of [[length(size), form], [chunked, pieces], ['Transfer-Encoding: Chunked\r\n', pieces], [`Content-Length:\t${size}\r\n`, form]])
            assert.match(await raw(server.port, `POST /nearest/place HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n${extra}Connection: close\r\n\r\n${body}`),
                /^HTTP\/1\.1 200 /, extra);
        for (const line of ['GET http://localhost/catalog HTTP/1.1', 'GET catalog HTTP/1.1', 'GET * HTTP/1.1'])
            assert.match(await raw(server.port, `${line}\r\nHost: localhost\r\nConnection: close\r\n\r\n`), /^HTTP\/1\.1 4\d\d /, line);
        for (const noise of ['GET /catalog\r\n\r\n', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'G\x01T /catalog HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'])
            assert.doesNotMatch(await raw(server.port, noise, { waitMs: 300 }), /^HTTP\/1\.1 2/, JSON.stringify(noise));
        assert.equal(await health(), 200);
    });

    await t.test('a few hundred heads, and bodies that unpack to more [8, 15, 16]', async () => {
        const many = Array.from({ length: 500 }, (_, i) => `X-Head-${i}: ${'v'.repeat(100)}\r\n`).join('');
        assert.match(await ask('/catalog', many), /^HTTP\/1\.1 431 /);
        const zipped = gzipSync(Buffer.alloc(1 << 20)), deep = '['.repeat(200000);
        for (const [type, body, head] of [['application/json', zipped, 'Content-Encoding: gzip\r\n'], ['application/json', deep, '']])
            for (const target of [HEAT, '/catalog', '/wmts'])
                assert.match(await raw(server.port, Buffer.concat([Buffer.from(`POST ${target} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\n${head}` +
                    `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n`), Buffer.from(body)])), /^HTTP\/1\.1 (405|413|415) /, target);
        assert.equal(await health(), 200);
    });

    await t.test('connections that say nothing, or their heads drop by drop, keep nobody waiting [9, 11]', async () => {
        const held = Array.from({ length: 300 }, (_, i) => {
            const socket = net.connect(server.port, '127.0.0.1', () => socket.write(i % 2 ? '' : 'GET /catalog HTTP/1.1\r\nX-'));
            socket.on('error', () => {});
            return socket;
        });
        await Promise.all(held.map((socket) => new Promise((resolve) => socket.connecting ? socket.once('connect', resolve) : resolve())));
        for (let i = 0; i < 5; i++) {
            for (const socket of held) if (!socket.destroyed) socket.write('a');
            assert.equal((await get(server.url + HEAT)).status, 200);
            assert.equal(await health(), 200);
        }
        for (const socket of held) socket.destroy();
    });

    await t.test('one address takes a part of the places, however busily it drips [9, 11]', async () => {
        const many = 700, asked = 'POST /reach HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 900\r\n\r\nlon=';
        let closed = 0;
        const held = [], more = (n) => held.push(...Array.from({ length: n }, (_, i) => {
            const socket = net.connect({ port: server.port, host: '127.0.0.1', localAddress: '127.0.0.2' }, () => socket.write(i % 2 ? 'GET /catalog HTTP/1.1\r\nX-' : asked));
            socket.on('error', () => {}).resume();
            socket.once('close', () => { closed++; });
            return socket;
        }));
        more(many);
        await Promise.all(held.map((socket) => new Promise((resolve) => { socket.once('connect', resolve); socket.once('close', resolve); })));
        const cut = async () => Number(/^onemap_connections_cut_total (\d+)$/m.exec((await get(`${server.url}/metrics`)).text())[1]);
        // Two go for each that comes, once they have been waited for.
        await until('those over the part are closed', async () => {
            more(2);
            return held.length - closed <= 512 + 20;
        });
        assert.ok(await cut() >= many - 512, `${await cut()} of ${held.length}`);
        assert.equal((await get(server.url + HEAT)).status, 200);
        assert.equal(await health(), 200);
        for (const socket of held) socket.destroy();
    });

    await t.test('five thousand at once for one tile that nobody drew yet [28]', async () => {
        const number = async (name) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec((await get(`${server.url}/metrics`)).text())[1]);
        const before = await number('onemap_tiles_drawn_total'), target = `${HEAT}?bandwidth=77`;
        const request = `GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`, last = `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
        const answers = await Promise.all(Array.from({ length: 250 }, () => raw(server.port, request.repeat(19) + last)));
        const said = answers.flatMap((a) => a.match(/HTTP\/1\.1 \d{3}|ETag: (?:W\/)?"\w+"/g) ?? []);
        assert.equal(said.length, 2 * 5000);
        assert.equal(new Set(said).size, 2, 'one status, one tag');
        assert.equal(said[0], 'HTTP/1.1 200');
        assert.equal(await number('onemap_tiles_drawn_total') - before, 1);
    });

    await t.test('what does not choose the answer does not enter its key [29]', async () => {
        const one = await get(server.url + HEAT);
        for (const accept of ['image/webp', 'text/html', '*/*', 'image/png;q=0.1'])
            assert.match(await ask(HEAT, `Accept: ${accept}\r\n`), new RegExp(`^HTTP/1\\.1 200 [^]*\\r\\nETag: ${one.headers.etag}\\r\\n`), accept);
        for (const head of ['Cookie: a=b\r\n', 'Accept-Language: zh\r\n', 'Authorization: Bearer x\r\n'])
            assert.match(await ask(HEAT, head), new RegExp(`\\r\\nETag: ${one.headers.etag}\\r\\n`), head);
        assert.match(await ask(`${HEAT}?utm_source=x`), /^HTTP\/1\.1 400 /);
    });

    await t.test('lists of tags, long and strange [27]', async () => {
        const tag = (await get(server.url + HEAT)).headers.etag.replace(/^W\//, '');
        for (const [list, status] of [[`W/${tag}`, 304], ['*', 304], [`${'"x", '.repeat(1500)}${tag}`, 304], [`${'"x", '.repeat(1500)}"y"`, 200], [tag.slice(0, -1), 200], ['""', 200], [',,,', 200],
            [tag.toUpperCase() === tag ? '"z"' : tag.toUpperCase(), 200], [`x${tag}`, 200]])
            assert.match(await ask(HEAT, `If-None-Match: ${list}\r\n`), new RegExp(`^HTTP/1\\.1 ${status} `), list.slice(0, 40));
        assert.match(await ask('/collections', 'Accept: ' + 'a/b;q=0.1,'.repeat(1500) + 'application/json\r\n'), /^HTTP\/1\.1 200 /);
        assert.match(await ask('/collections', 'Accept: ;;;,,/,*\r\n'), /^HTTP\/1\.1 406 /);
        assert.match(await ask('/collections/place/items.csv', 'Range: bytes=' + '0-1,'.repeat(2000) + '\r\n'), /^HTTP\/1\.1 200 /);
    });

    await t.test('links are made of no header that a client can choose freely [29]', async () => {
        const known = `Authorization: ${auth.authorization}\r\n`, links = /"http:\/\/localhost\/collections/;
        for (const head of ['X-Forwarded-Host: evil.example\r\n', 'X-Forwarded-Proto: https\r\n', 'Forwarded: host=evil.example\r\n', 'X-Original-URL: /evil\r\n']) {
            const answer = await ask('/catalog', known + head);
            assert.match(answer, links, head);
            assert.doesNotMatch(answer, /evil|https:\/\/localhost/, head);
            assert.match(await ask('/catalog', head), /^HTTP\/1\.1 401 /, head);
        }
        const other = await raw(server.port, 'GET /catalog HTTP/1.1\r\nHost: 127.0.0.7\r\nConnection: close\r\n\r\n');
        assert.match(other, /http:\/\/127\.0\.0\.7\/collections/);
        assert.doesNotMatch(await ask('/catalog'), /127\.0\.0\.7/);
    });

    await t.test('without tokens no page of another site reads, by whatever name [25]', async () => {
        const port = server.port, status = (text) => Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1]);
        const own = `http://localhost:${port}`, at = (host, head = '', target = '/catalog', method = 'GET') =>
            raw(port, `${method} ${target} HTTP/1.1\r\n${host ? `Host: ${host}\r\n` : ''}Connection: close\r\n${head}\r\n`);
        for (const target of ['/catalog', '/collections/place/items', '/changes?since=0', '/changes', '/tiles/heat:place/0/0/0.png', '/analyst', '/metrics', '/nothing'])
            for (const head of ['Origin: null\r\n', 'Origin: https://evil.example\r\n', `Origin: ${own}.evil.example\r\n`, 'Origin: http://localhost:1\r\n',
                'Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n', 'Sec-Fetch-Site: same-site\r\nSec-Fetch-Mode: cors\r\n', 'Sec-Fetch-Site: cross-site\r\n',
                'Origin: https://evil.example\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n'])
                for (const method of ['GET', 'HEAD']) {
                    const answer = await at(`localhost:${port}`, head, target, method);
                    assert.equal(status(answer), 403, `${method} ${target} ${head}: ${answer}`);
                    assert.doesNotMatch(answer, /access-control|data-sequence|etag/i, `${target} ${head}`);
                }
        // Names that are made to mean this machine.
        for (const host of [`evil.example:${port}`, '127.0.0.1.evil.example', 'localhost.evil.example', '127.1', '192.0.2.1', '[2001:db8::1]'])
            for (const head of ['', `Origin: http://${host}\r\n`, `Origin: http://${host}\r\nSec-Fetch-Site: same-origin\r\n`]) {
                const answer = await at(host, head);
                assert.equal(status(answer), 403, `${host} ${head}`);
                assert.match(answer, /localhost, or the address listened on/);
            }
        // Our own pages, programs, and who follows a link.
        for (const [host, head] of [[`localhost:${port}`, ''], [`127.0.0.1:${port}`, ''], [`[::1]:${port}`, ''], [`localhost:${port}`, `Origin: ${own}\r\nSec-Fetch-Site: same-origin\r\n`],
            [`localhost:${port}`, 'Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\n'], [`localhost:${port}`, 'Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n']]) {
            const answer = await at(host, head);
            assert.equal(status(answer), 200, `${host} ${head}: ${answer}`);
            assert.doesNotMatch(answer, /access-control/i);
        }
        const flight = await at(`localhost:${port}`, 'Origin: https://evil.example\r\nAccess-Control-Request-Method: GET\r\n', '/catalog', 'OPTIONS');
        assert.doesNotMatch(flight, /access-control/i);
        assert.equal(status(await at('evil.example', '', '/health')), 200);
    });

    await t.test('whoever reads slowly, or leaves, harms nobody [10]', async () => {
        const slow = Array.from({ length: 20 }, () => {
            const socket = net.connect(server.port, '127.0.0.1', () => socket.write(`GET ${ITEMS}.csv HTTP/1.1\r\nHost: localhost\r\n\r\n`));
            socket.pause();
            socket.on('error', () => {});
            return socket;
        });
        await Promise.all(Array.from({ length: 20 }, (_, i) => raw(server.port, `GET ${ITEMS}.gpkg?weight=${i % 10}&f${i}=1 HTTP/1.1\r\nHost: localhost\r\n\r\n`, { waitMs: 5 })));
        assert.equal(await health(), 200);
        assert.equal((await get(`${server.url}/stats/place`)).json().count, 5000);
        for (const socket of slow) socket.destroy();
        assert.equal((await get(`${server.url}${ITEMS}.csv`)).status, 200);
    });
});
