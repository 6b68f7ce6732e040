// Numbers and moments as people read them.
import assert from 'node:assert/strict';
import test from 'node:test';

import { about, addDays, daysBetween, exact, moment, share, short } from '../../../web/pages/text.js';

test('counts are short in tens of thousands, exact with separators', () => {
    for (const [n, text] of [[0, '0'], [9999, '9,999'], [10000, '1万'], [1133600, '113.4万'], [12000000, '1200万'],
        [99994999, '9999万'], [99995000, '1亿'], [120000000, '1.2亿'], [-25000, '-2.5万']])
        assert.equal(short(n), text);
    assert.equal(exact(12000000), '12,000,000');
});

test('values keep about three digits', () => {
    for (const [n, text] of [[0, '0'], [0.00123, '0.0012'], [3.84, '3.8'], [99.6, '100'], [421.3, '421'], [9999, '9,999'],
        [12345, '1.2万'], [NaN, '?'], [Infinity, '?']])
        assert.equal(about(n), text);
});

test('shares tell little from nothing', () => {
    assert.equal(share(0, 100), '0.0%');
    assert.equal(share(1, 100000), '<0.1%');
    assert.equal(share(1, 3), '33.3%');
    assert.equal(share(0, 0), '·');
});

test('moments are the city\'s clock, wherever the reader is', () => {
    assert.equal(moment('2023-06-26T14:05:31+08:00'), '2023年6月26日 14:05');
    assert.equal(moment('2023-06-26'), '2023年6月26日');
    assert.equal(moment('soon'), '?');
});

test('days are counted over months and leap years', () => {
    assert.equal(addDays('2024-02-28', 1), '2024-02-29');
    assert.equal(addDays('2023-12-31', 1), '2024-01-01');
    for (let i = -800; i < 800; i += 7) assert.equal(daysBetween('2023-06-26', addDays('2023-06-26', i)), i);
});
