// The state in the address.
//
// Plan
//   what is written is read again, whatever is in it
//   what cannot be read is left at its default
//   links stay readable
import assert from 'node:assert/strict';
import test from 'node:test';

import { emptyState, formatHash, joinTime, parseHash, splitTime } from '../../../web/pages/hash.js';
import { random } from '../onemap.mjs';

test('what is written is read again', () => {
    const next = random(5);
    const pick = (list) => list[Math.floor(next() * list.length)];
    for (let i = 0; i < 2000; i++) {
        const state = {
            map: next() < 0.2 ? null : { zoom: +(next() * 20).toFixed(2), latDeg: 0, lonDeg: 0 },
            layer: pick(['', 'hazard', '标准地址', 'a b']),
            filter: pick(['', "severity = 'high'", "名 LIKE '%东&西%' AND a+b <> 1", 'x = "#=&+%/,:;"', "t >= DATE('2023-01-01')"]),
            time: pick(['', '2023-01-01/2023-03-31', '../2023-03-31', '2023-01-01/..']),
            bandwidth: pick([200, 800, 3200]),
            unit: pick(['', '441900001', '莞 城']),
            at: next() < 0.5 ? null : { lonDeg: +(next() * 360 - 180).toFixed(6), latDeg: +(next() * 160 - 80).toFixed(6) },
        };
        if (state.map) {
            state.map.lonDeg = +(next() * 360 - 180).toFixed(2) || 0;
            state.map.latDeg = +(next() * 160 - 80).toFixed(2) || 0;
        }
        assert.deepEqual(parseHash(formatHash(state)), state, formatHash(state));
    }
});

test('the map moves by less than a pixel', () => {
    for (let zoom = 0; zoom <= 20; zoom += 0.25) {
        const map = { zoom, latDeg: 22.123456789, lonDeg: 113.987654321 };
        const again = parseHash(formatHash({ ...emptyState(), map })).map;
        const pixelDeg = 360 / (512 * 2 ** zoom);
        assert.ok(Math.abs(again.lonDeg - map.lonDeg) <= pixelDeg);
        assert.ok(Math.abs(again.latDeg - map.latDeg) <= pixelDeg);
    }
});

test('what cannot be read is left at its default', () => {
    for (const hash of ['', '#', '#x', '#map=', '#map=1/2', '#map=a/b/c', '#map=5/91/0', '#map=5/0/181', '#map=-1/0/0', '#map=25/0/0',
        '#map=1/2/3/4', '#map=//', '#map=NaN/1/1', '#at=1', '#at=1,2,3', '#at=,', '#time=yesterday', '#time=/', '#bandwidth=x',
        '#bandwidth=5', '#bandwidth=-800', '#bandwidth=Infinity', '#%%%', '#nothing=1'])
        assert.deepEqual(parseHash(hash), emptyState(), hash);
});

test('links stay readable', () => {
    const state = { ...emptyState(), layer: 'hazard', filter: "severity = 'high'", time: '2023-01-01/2023-02-01', map: { zoom: 11.5, latDeg: 23, lonDeg: 113.75 } };
    assert.equal(formatHash(state), "#map=11.5/23.00000/113.75000&layer=hazard&filter=severity+%3D+'high'&time=2023-01-01/2023-02-01");
});

test('periods open and close', () => {
    assert.deepEqual(splitTime('2023-01-01/..'), { from: '2023-01-01', to: '' });
    assert.deepEqual(splitTime(''), { from: '', to: '' });
    assert.equal(joinTime('', ''), '');
    assert.equal(joinTime('', '2023-01-01'), '../2023-01-01');
    assert.equal(joinTime('2023-01-01', ''), '2023-01-01/..');
});
