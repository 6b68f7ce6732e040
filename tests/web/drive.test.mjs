// A second screen drives a wall.
//
// Plan
//   what is posted reaches the wall of that name, and nobody else, at once
//   nothing but known keys, units of levels that there are and places; no wall,
//   no such wall; names that are none
//   pages of other sites, strangers where there are tokens; who has one may
//   more than a wall can be told in a second is 429
import assert from 'node:assert/strict';
import http from 'node:http';
import test from 'node:test';

import { done } from './onemap.mjs';
import { get, makeCity } from './sample.mjs';
import { serve } from './server.mjs';
import { untilWithin } from './until.mjs';

/** Events of a stream as they come. */
function listen(t, url, headers = {}) {
    const heard = [];
    return new Promise((resolve, reject) => {
        const request = http.get(url, { headers }, (response) => {
            if (response.statusCode !== 200) return reject(new Error(`${response.statusCode}`));
            let text = '';
            response.on('data', (bytes) => {
                text += bytes;
                for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) heard.push(text.slice(0, end));
            });
            response.on('error', () => {});
            resolve(heard);
        });
        request.on('error', reject);
        t.after(() => request.destroy());
    });
}

const post = async (url, headers = {}) => {
    const response = await fetch(url, { method: 'POST', headers });
    return { status: response.status, body: await response.json().catch(() => ({})) };
};

const notes = (heard) => heard.filter((e) => e.startsWith('event: drive')).map((e) => JSON.parse(/data: (.*)/.exec(e)[1]));

const until = untilWithin(120e3);

test('a second screen drives a wall', async (t) => {
    const { city } = await makeCity(t), { url } = await serve(t, city);
    const mine = await listen(t, `${url}/changes?wall=WALL1`), twin = await listen(t, `${url}/changes?wall=WALL1&layers=place`);
    const other = await listen(t, `${url}/changes?wall=WALL2`), plain = await listen(t, `${url}/changes`);

    assert.equal((await post(`${url}/walls/WALL1?press=2`)).status, 200);
    assert.equal((await post(`${url}/walls/WALL1?level=square&unit=U01`)).status, 200);
    assert.equal((await post(`${url}/walls/WALL1?level=square&unit=${encodeURIComponent('"},{"press":"9')}`)).status, 200);
    assert.equal((await post(`${url}/walls/WALL1?level=square&unit=a%0A%0Aevent:%20x`)).status, 400);
    assert.equal((await post(`${url}/walls/WALL1?lon=113.750000009&lat=2.3e1`)).status, 200);
    await until('both are told', () => notes(mine).length === 4 && notes(twin).length === 4);
    assert.deepEqual(notes(mine), [{ press: '2' }, { level: 'square', unit: 'U01' }, { level: 'square', unit: '"},{"press":"9' }, { lon: 113.75, lat: 23 }]);
    assert.ok(!mine.some((e) => e.startsWith('event: x')), 'what is posted cannot become an event');
    assert.deepEqual([...notes(other), ...notes(plain)], []);

    for (const [query, status] of [['walls/WALL1?press=42', 400], ['walls/WALL1', 400], ['walls/WALL1?level=none&unit=U01', 400], ['walls/WALL1?level=square', 400],
        ['walls/WALL1?lon=113', 400], ['walls/WALL1?lon=113&lat=89', 400], ['walls/WALL1?lon=nan&lat=23', 400], ['walls/WALL1?lat=23', 400],
        ['walls/NOBODY?press=2', 404], ['walls/a?press=2', 404], ['walls/a%20b%20c%20d?press=2', 404], ['walls/WALL1?press=2&x=1', 400]])
        assert.equal((await post(`${url}/${query}`)).status, status, query);
    assert.equal((await get(`${url}/changes?wall=no%0Aname`)).status, 400);
    assert.equal((await post(`${url}/walls/WALL1?press=2`, { Origin: 'https://elsewhere.example' })).status, 403);
    assert.equal((await post(`${url}/walls/WALL1?press=2`, { 'Sec-Fetch-Site': 'cross-site' })).status, 403);

    const flood = await Promise.all(Array.from({ length: 200 }, () => post(`${url}/walls/WALL1?press=next`)));
    const took = flood.filter((a) => a.status === 200).length;
    assert.ok(flood.some((a) => a.status === 429), 'not as many as anybody likes');
    assert.equal(flood.length, took + flood.filter((a) => a.status === 429).length);
});

test('where there are tokens a stranger drives nothing', async (t) => {
    const { city } = await makeCity(t);
    const token = (await done('token', city, 'add', 'wall')).trim(), bearer = { Authorization: `Bearer ${token}` };
    const { url } = await serve(t, city);
    const heard = await listen(t, `${url}/changes?wall=WALL1`, bearer);
    assert.equal((await post(`${url}/walls/WALL1?press=2`)).status, 401);
    assert.equal((await post(`${url}/walls/WALL1?press=2`, bearer)).status, 200);
    await until('it is told', () => notes(heard).length === 1);
});
