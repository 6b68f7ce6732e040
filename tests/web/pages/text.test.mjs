// Numbers and moments as people read them.
import assert from 'node:assert/strict';
import test from 'node:test';

import {
    about, addDays, dateOf, daysBetween, evenly, exact, figure, fixed, filterProblem, isDate, lastDay, lastDays, moment, share, short,
} from '../../../web/pages/text.js';

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

test('a column has one number of decimals', () => {
    for (const values of [[0.0123, 4.56, 7.8, 120], [1234.5, 900.25, 3], [0.5, null, undefined, 0.25], [0.00012, 0.00034, 0.9]]) {
        const texts = values.filter((v) => typeof v === 'number').map(evenly(values)), decimals = new Set(texts.map((text) => (text.split('.')[1] ?? '').length));
        assert.equal(decimals.size, 1, texts.join(' '));
    }
    assert.deepEqual([3, 12, 100000].map(evenly([3, 12, 100000])), ['3', '12', '100,000']);
    assert.deepEqual([0.4, 4.56, 120].map(evenly([0.4, 4.56, 120])), ['0.40', '4.56', '120.00']);
    assert.equal(evenly([])(5), '5');
    assert.equal(evenly([0.5])(NaN), '?');
    assert.deepEqual([-0.1234, -0.001, 2].map((n) => fixed(n, 2)), ['−0.12', '0.00', '2.00']);
});

test('dates are read as people type them', () => {
    for (const text of ['2023-06-01', '2023-6-1', '2023/06/01', ' 20230601 ', '2023年6月1日', '2023.6.1', '２０２３－０６－０１']) assert.equal(dateOf(text), '2023-06-01', text);
    for (const text of ['', '06/01/2023', '2023-02-30', '2023', '2023-13-01', '1 June', '20230']) assert.equal(dateOf(text), null, text);
});

test('shares tell little from nothing', () => {
    assert.equal(share(0, 100), '0.0%');
    assert.equal(share(1, 100000), '<0.1%');
    assert.equal(share(1, 3), '33.3%');
    assert.equal(share(0, 0), '0%');
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

test('the last days end with the last whole day of data', () => {
    // The end of the 26th is the midnight at which the 27th begins.
    assert.equal(lastDay('2023-06-27T00:00:00+08:00'), '2023-06-26');
    assert.equal(lastDay('2023-06-27T00:00:01+08:00'), '2023-06-27');
    assert.equal(lastDay('2023-06-26T14:05:00Z'), '2023-06-26');
    assert.equal(lastDay('2023-06-26'), '2023-06-26');
    assert.equal(lastDays('2023-06-27T00:00:00+08:00', 7), '2023-06-20/2023-06-26');
    assert.equal(lastDays('2023-06-27T00:00:00+08:00', 30), '2023-05-28/2023-06-26');
    for (const days of [1, 7, 30, 365]) {
        const [from, to] = lastDays('2024-03-01T00:00:00Z', days).split('/');
        assert.equal(to, '2024-02-29');
        assert.equal(daysBetween(from, to) + 1, days);
    }
});

test('a date is a day that exists', () => {
    for (const text of ['2023-06-20', '2024-02-29']) assert.ok(isDate(text), text);
    for (const text of ['', '2023-02-29', '2023-6-20', '2023-13-01', '20230620', '2023-06-20T00', 'Mon']) assert.ok(!isDate(text), text);
});

test('a wrong filter is told one place, in characters from 1', () => {
    assert.deepEqual(filterProblem('severity === 1', 'a column or a value expected at byte 10, found =', 10), { character: 11, text: 'a column or a value expected, found =' });
    assert.deepEqual(filterProblem("名 = 'x", 'the text that begins at byte 6 has no closing \'', 6), { character: 5, text: "the text has no closing '" });
    assert.deepEqual(filterProblem('foo = 1', 'no column foo'), { character: 0, text: 'no column foo' });
});

test('figures of a legend have two digits', () => {
    for (const [n, text] of [[607.26, '610'], [2.611, '2.6'], [9876, '9,900'], [123456, '12万'], [0, '0']]) assert.equal(figure(n), text);
});
