// asked.test.mjs - questions whose parameters come as a form in the body.
//
// Plan
//   what is asked by a form is answered as by the address, word for word, also
//   by the server of a release and for a page of no origin
//   it is kept by nobody: not by a proxy, not under the address
//   what is no form, too long, unknown or twice is refused, and named
//   who asked is noted, where they stood is not; metrics do not say it either
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { done, folder } from './onemap.mjs';
import { get } from './sample.mjs';
import { raw, serve } from './server.mjs';

const PLACE = { lon: '113.754321', lat: '23.023456' };
const FORM = 'application/x-www-form-urlencoded';

async function cityOf(t) {
    const dir = await folder(t), source = path.join(dir, 'source'), city = path.join(dir, 'city'), release = path.join(dir, 'release');
    await done('synth', source, '--scale', '0.004', '--quiet');
    await done('import', city, '--all', source, '--quiet');
    return { city, release };
}
const ask = (url, form, headers = {}) => fetch(url, { method: 'POST', body: new URLSearchParams(form), headers });

test('a release is asked by a form, and says the same', async (t) => {
    const { city, release } = await cityOf(t);
    await done('publish', city, release, '--quiet');
    const { url, port } = await serve(t, release);
    const near = JSON.parse(await done('query', release, 'service_centre', '--format', 'geojson')).features.map((f) => f.geometry.coordinates);
    const [PLACE, other] = [near[0], near.at(-1)].map(([lon, lat]) => ({ lon: String(lon), lat: String(lat) }));
    const questions = [['/nearest/service_centre', { ...PLACE, k: 5, mode: 'walk', properties: 'id,name', filter: "matters LIKE '%社保%' AND windows > 1" }],
        ['/nearest/organisation', { ...PLACE, k: 3 }], ['/reach', { ...PLACE, minutes: 10, mode: 'ebike' }],
        ['/search', { q: '服务中心', limit: 3, ...PLACE }]];
    for (const [at, form] of questions) {
        const answer = await ask(url + at, form, { Origin: 'null' }), text = await answer.text();
        assert.equal(answer.status, 200, text);
        assert.equal(answer.headers.get('cache-control'), 'no-store');
        assert.equal(answer.headers.get('access-control-allow-origin'), '*');
        assert.equal(answer.headers.get('set-cookie'), null);
        // Nobody gets it who asks without a place.
        assert.equal((await get(url + at)).status, 400, at);
        assert.equal((await ask(url + at, {})).status, 400, at);
        const plain = await get(`${url}${at}?${new URLSearchParams(form)}`);
        assert.equal(plain.text(), text, at);
        assert.match(plain.headers['cache-control'], /^public/);
        // A tag of one place is not looked for at another.
        const again = await ask(url + at, form, { 'If-None-Match': answer.headers.get('etag') });
        assert.equal(again.status, 200);
        const elsewhere = await ask(url + at, { ...form, ...other });
        assert.notEqual(await elsewhere.text(), text);
    }
    const refused = async (at, body, status, says, type = FORM) => {
        const answer = await fetch(url + at, { method: 'POST', body, headers: { 'Content-Type': type } }), problem = await answer.json();
        assert.equal(answer.status, status, problem.detail);
        assert.match(problem.detail, says);
        assert.doesNotMatch(JSON.stringify(problem), /113\.75/);
    };
    await refused('/reach', 'lon=113.754321&lat=23&metres=3', 400, /no parameter metres/);
    await refused('/reach', 'lon=113.754321&lon=113.754321&lat=23', 400, /lon is given twice/);
    await refused('/reach', 'lon=113.754321&lat=%zz', 400, /hexadecimal/);
    await refused('/reach', 'lon=113.754321&lat=%00', 400, /NUL/);
    await refused('/reach', 'lon=113.754321&lat=north', 400, /lat is not a number/);
    await refused('/reach', 'lon=113.754321&lat=95', 400, /lat is not in/);
    await refused('/reach?lat=23', 'lon=113.754321', 400, /none in the address/);
    await refused('/reach', '{"lon":113.754321,"lat":23}', 415, /x-www-form-urlencoded/, 'application/json');
    await refused('/reach', `lon=113.754321&lat=23&mode=${'a'.repeat(9000)}`, 413, /larger than/);
    await refused('/search?limit=3', 'q=a', 400, /none in the address/);
    await refused('/search', `q=${'a'.repeat(9000)}`, 413, /larger than/);
    await refused('/nearest/hazard', 'lon=113.754321&lat=23', 404, /./);
    // In pieces, without a length.
    const body = new URLSearchParams(questions[2][1]).toString(), chunks = [...body].map((c) => `1\r\n${c}\r\n`).join('');
    const pieces = await raw(port, `POST /reach HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: ${FORM}\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`);
    assert.match(pieces, /^HTTP\/1\.1 200 [^]*Polygon"/);
    assert.match(await raw(port, 'OPTIONS /reach HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'), /GET, HEAD, POST, OPTIONS/);
    // What else has a method stays away from a release.
    const { paths } = (await get(`${url}/api`)).json();
    assert.deepEqual(Object.keys(paths).filter((at) => Object.keys(paths[at]).join() !== 'get').sort(), ['/nearest/{layer}', '/reach', '/search']);
    for (const at of ['/nearest/{layer}', '/reach', '/search']) {
        const { get: plain, post } = paths[at], form = post.requestBody.content[FORM].schema.properties;
        const named = plain.parameters.map((p) => p.name ?? p.$ref.split('/').at(-1)).filter((n) => n !== 'v' && !at.includes(`{${n}}`));
        assert.deepEqual(Object.keys(form).sort(), named.sort());
    }
});

test('who asked is noted, where they stood is not', async (t) => {
    const { city } = await cityOf(t);
    const token = (await done('token', city, 'add', 'admin')).trim(), headers = { Authorization: `Bearer ${token}` };
    const { url, stop } = await serve(t, city, '--read-only');
    assert.equal((await ask(`${url}/nearest/rental`, { ...PLACE, k: 3 })).status, 401);
    const answer = await ask(`${url}/nearest/rental`, { ...PLACE, k: 3 }, headers);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    assert.equal((await ask(`${url}/reach`, { ...PLACE, minutes: 10 }, headers)).status, 200);
    const typed = '文乐3围路十三号602房';
    assert.equal((await ask(`${url}/search`, { q: typed })).status, 401);
    assert.equal((await ask(`${url}/search`, { q: typed, ...PLACE, limit: 3 }, headers)).status, 200);
    const metrics = (await get(`${url}/metrics`, { headers })).text();
    assert.match(metrics, /nearest_here/);
    assert.match(metrics, /search_typed/);
    const { stderr } = await stop();
    const audit = path.join(city, 'audit'), files = await readdir(audit);
    const lines = (await Promise.all(files.map((f) => readFile(path.join(audit, f), 'utf8')))).join('');
    // Which rows were told is noted, as of any other question; the place that was asked for is not.
    assert.match(lines, /"POST"[^\n]*\/nearest\/rental\?k=3&rows=3&bbox=[\d.,]+(&bbox=[\d.,]+)*&ids=\w+,\w+,\w+"/);
    assert.match(lines, /"POST"[^\n]*\/reach\?minutes=10"/);
    assert.match(lines, /"POST"[^\n]*\/search\?q=~\w+&limit=3"/);
    for (const text of [metrics, stderr, lines]) assert.ok(![typed, '文乐', encodeURIComponent('文乐')].some((part) => text.includes(part)));
    for (const text of [metrics, stderr]) assert.doesNotMatch(text, /113\.75|23\.02/);
    for (const told of Object.values(PLACE)) assert.ok(!lines.includes(told.slice(0, -1)), lines);
});
