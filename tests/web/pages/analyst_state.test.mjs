// The analyst's state and its address.
//
// Plan
//   what is written is read again, whatever is in it
//   what cannot be read is left at its default
//   links stay readable, and those of older pages and of the wall open
//   who hears of the state hears what has changed, once
import assert from 'node:assert/strict';
import test from 'node:test';

import { COVERAGES, emptyState, FIELDS, formatHash, joinTime, parseHash, splitTime, STATISTICS, Store } from '../../../web/pages/analyst/state.js';
import { random } from '../onemap.mjs';

const next = random(5);
const pick = (list) => list[Math.floor(next() * list.length)];
const word = () => pick(['', 'hazard', '标准地址', 'a b', "x = '#=&+%/,:;@'", "名 LIKE '%东&西%' AND a+b <> 1", "t >= DATE('2023-01-01')", '%41', 'a,b@80']);
const degrees = (most, digits) => +((next() * 2 - 1) * most).toFixed(digits) || 0;

function anyState() {
    const drawn = [...new Set(Array.from({ length: Math.floor(next() * 5) }, word))].filter((id) => id).map((id) => ({ id, opacity: pick([100, 85, 5, 0]) }));
    return {
        map: next() < 0.2 ? null : { zoom: +(next() * 20).toFixed(2), latDeg: degrees(80, 2), lonDeg: degrees(180, 2) },
        layer: word(), layers: drawn, filter: word(), time: pick(['', '2023-01-01/2023-03-31', '../2023-03-31', '2023-01-01/..']),
        model: word(), kernel: pick(['', 'quartic', 'gaussian', 'epanechnikov']), bandwidth: pick([0, 10, 800, 20000]), halflife: pick([0, 0.5, 30]), weight: word(), per: word(),
        units: pick(['', 'village', 'hex:500']), stat: pick(['count', 'sum', 'rate']), column: word(), spots: pick(STATISTICS), coverage: pick(COVERAGES),
        compare: pick(['', 'previous', 'year', '2022-01-01/2022-01-31']), other: word(), split: pick(['side', 'swipe']),
        scale: pick(['', 'own']), form: pick(['', 'fill', 'lines']), table: pick(['', 'counts', 'coverage']), rank: word(), sort: pick(['', 'name', '-sum_share_10min']),
        unit: word(), at: next() < 0.5 ? null : { lonDeg: degrees(180, 6), latDeg: degrees(80, 6) },
        area: pick(['', 'circle:113.7,23,500', 'polygon:1,2,3,4,-5,6']), pane: word(), fold: pick(['', 'q', 'qr', 'rp']), fold: pick(['', 'q', 'qr', 'rp']),
    };
}

test('what is written is read again', () => {
    for (let i = 0; i < 3000; i++) {
        const state = { ...emptyState(), ...anyState() };
        assert.deepEqual(parseHash(formatHash(state)), state, formatHash(state));
    }
    const known = Object.keys(anyState());
    for (const name of Object.keys(FIELDS)) assert.ok(known.includes(name), `${name} is tried here`);
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
        '#map=1/2/3/4', '#map=//', '#map=NaN/1/1', '#at=1', '#at=1,2,3', '#at=,', '#time=yesterday', '#time=/', '#time=../..', '#bandwidth=x',
        '#bandwidth=5', '#bandwidth=-800', '#bandwidth=Infinity', '#%%%', '#nothing=1', '#stat=most', '#kernel=box', '#coverage=all', '#spots=knox',
        '#layers=', '#layers=,,', '#layers=%25', '#halflife=0', '#compare=ever', '#area=all', '#area=circle:<svg>', '#split=up', '#form=dots', '#table=chairs', '#sort=-', '#sort=a+b', '#sort=--q'])
        assert.deepEqual(parseHash(hash), emptyState(), hash);
    assert.deepEqual(parseHash('#layers=a@999,a,b@7').layers, [{ id: 'a', opacity: 100 }, { id: 'b', opacity: 7 }]);
});

test('links stay readable, and older ones open', () => {
    const state = { ...emptyState(), layer: 'hazard', layers: [{ id: 'heat', opacity: 80 }, { id: 'hazard', opacity: 100 }], filter: "severity = 'high'", time: '2023-01-01/2023-02-01', map: { zoom: 11.5, latDeg: 23, lonDeg: 113.75 } };
    assert.equal(formatHash(state), "#map=11.5/23.00000/113.75000&layer=hazard&layers=heat@80,hazard&filter=severity+%3D+'high'&time=2023-01-01/2023-02-01");
    const wall = parseHash(`#${new URLSearchParams({ layer: 'hazard', layers: 'hazard', filter: 'resolved IS NULL', time: '2023-05-30/2023-06-26' })}`);
    assert.deepEqual([wall.layer, wall.layers, wall.filter, wall.time], ['hazard', [{ id: 'hazard', opacity: 100 }], 'resolved IS NULL', '2023-05-30/2023-06-26']);
    assert.equal(parseHash('#layer=address&bandwidth=400').bandwidth, 400);
});

test('who hears of the state hears what has changed', () => {
    const store = new Store(emptyState()), heard = [];
    const leave = store.subscribe((now, changed) => heard.push([now.filter, [...changed].sort()]));
    store.update({ filter: 'a = 1', at: null });
    store.update({ filter: 'a = 1', layers: [] });
    store.update({ layers: [{ id: 'heat', opacity: 100 }], unit: 'T1' });
    leave();
    store.update({ filter: '' });
    assert.deepEqual(heard, [['a = 1', ['filter']], ['a = 1', ['layers', 'unit']]]);
    assert.equal(store.now.unit, 'T1');
});

test('periods open and close', () => {
    assert.deepEqual(splitTime('2023-01-01/..'), { from: '2023-01-01', to: '' });
    assert.deepEqual(splitTime(''), { from: '', to: '' });
    assert.equal(joinTime('', ''), '');
    assert.equal(joinTime('', '2023-01-01'), '../2023-01-01');
    assert.equal(joinTime('2023-01-01', ''), '2023-01-01/..');
});
