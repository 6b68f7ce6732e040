// TileJSON, styles, OGC API Tiles and WMTS: what documents say is what tiles are.
//
// Plan
//   TileJSON, styles, tile matrix sets, tilesets: schemas, MapLibre's validator,
//   every address in them is answered
//   a tile is the same bytes by every address: XYZ, row and column, KVP, REST
//   EPSG:4490: every pixel is the mercator pixel that holds its centre
//   WMTS: well-formed, read by OpenLayers, errors with OGC's codes
//   no document names another host
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { serve } from './server.mjs';
import { get, makeCity, run, SOUTH, STEP, tileX, tileY, WEST } from './sample.mjs';
import { decode } from './png.mjs';
import * as schema from './schemas.mjs';

const Z = 11, LON = WEST + 1.7 * STEP, LAT = SOUTH + 2.3 * STEP;
const X = tileX(LON, Z), Y = tileY(LAT, Z);
const ROW = Math.floor((90 - LAT) / 360 * 2 ** Z);  // of CGCS2000Quad
const HEAT = 'heat:place';

/** Every text in a document, however deep. */
function* texts(value) {
    if (typeof value === 'string') yield value;
    else if (value && typeof value === 'object') for (const v of Object.values(value)) yield* texts(v);
}

test('tiles by every standard', async (t) => {
    const { dir, city } = await makeCity(t);
    const server = await serve(t, city);
    const at = (target, options) => get(server.url + target, options);
    const check = await schema.checker();
    const catalog = (await at('/catalog')).json();
    const maps = [...catalog.layers, ...catalog.maps].map((m) => m.name);

    await t.test('the catalog says what there is', async () => {
        assert.deepEqual(maps.sort(), ['base', 'heat:place', 'labels', 'place', 'road', 'square']);
        const place = catalog.layers.find((l) => l.name === 'place');
        for (const key of ['department', 'rhythm', 'class', 'license', 'synthetic', 'as_of', 'rows', 'crs', 'extent', 'links'])
            assert.ok(key in place, key);
        assert.equal(place.rows, 5000);
        for (const link of place.links.filter((l) => l.rel === 'download')) assert.equal((await get(link.href, { method: 'HEAD' })).status, 200, link.href);
    });

    await t.test('TileJSON of every name', async () => {
        for (const name of maps)
            for (const f of ['mvt', 'png']) {
                const answer = await at(`/tiles/${name}.json?f=${f}`);
                if (answer.status === 404) continue;  // heat has no vectors
                const tiles = answer.json();
                check(schema.tileJson, tiles, `${name} ${f}`);
                const b = tiles.bounds;
                assert.ok(b[0] < b[2] && b[1] < b[3]);
                assert.ok(tiles.center[0] >= b[0] && tiles.center[0] <= b[2]);
                const z = tiles.center[2];
                const tile = await get(tiles.tiles[0].replace('{z}', z).replace('{x}', tileX(LON, z)).replace('{y}', tileY(LAT, z)));
                assert.equal(tile.status, 200, tiles.tiles[0]);
                assert.equal(tile.headers['content-type'], f === 'mvt' ? 'application/vnd.mapbox-vector-tile' : 'image/png');
                if (f === 'png') continue;
                const { VectorTile } = await import('../../web/pages/node_modules/@mapbox/vector-tile/index.js');
                const { PbfReader, default: Pbf } = await import('../../web/pages/node_modules/pbf/index.js');
                const vector = new VectorTile(new (PbfReader ?? Pbf)(tile.body));
                for (const [id, layer] of Object.entries(vector.layers)) {
                    const said = tiles.vector_layers.find((l) => l.id === id);
                    assert.ok(said, `${name}: layer ${id} is not told of`);
                    if (id !== name) continue;
                    for (const key of Object.keys(layer.feature(0).properties)) assert.ok(key in said.fields, `${name}: ${key}`);
                }
            }
        const some = (await at('/tiles/place.json?properties=kind&filter=weight%3E3')).json();
        assert.deepEqual(Object.keys(some.vector_layers[0].fields).sort(), ['id', 'kind']);
        assert.match(some.tiles[0], /\?properties=kind&filter=weight%3E3$/);
        const choropleth = (await at('/tiles/choropleth:square.json?layer=place&filter=weight%3E3')).json();
        check(schema.tileJson, choropleth, 'choropleth');
        assert.match(choropleth.tiles[0], /choropleth:square\/\{z\}\/\{x\}\/\{y\}\.png\?layer=place&filter=weight%3E3$/);
        assert.equal((await at('/tiles/choropleth:square.json')).json().parameter, 'layer');
        for (const [target, status] of [['/tiles/nowhere.json', 404], ['/tiles/heat:square.json', 404], ['/tiles/place.json?filter=x', 400],
            ['/tiles/place.json?kernel=gaussian', 400], ['/tiles/place.json?f=gif', 400], ['/tiles/heat:place.json?f=mvt', 404], ['/tiles/.json', 404]])
            assert.equal((await at(target)).status, status, target);
    });

    await t.test('styles are valid and complete, in both dresses', async () => {
        const { validateStyleMin } = await import('../../web/pages/node_modules/@maplibre/maplibre-gl-style-spec/dist/index.mjs');
        for (const name of maps)
            for (const palette of ['light', 'dark']) {
                const style = (await at(`/styles/${name}.json?palette=${palette}`)).json();
                assert.deepEqual(validateStyleMin(style), [], name);
                assert.ok(style.layers.length >= (name === 'base' ? 1 : 2), name);
                for (const source of Object.values(style.sources)) check(schema.tileJson, (await get(source.url)).json(), source.url);
                const ids = new Set(Object.keys(style.sources));
                for (const layer of style.layers.slice(1)) assert.ok(ids.has(layer.source), layer.id);
            }
        const light = (await at('/styles/square.json')).json(), dark = (await at('/styles/square.json?palette=dark')).json();
        assert.notDeepEqual(light.layers[0].paint, dark.layers[0].paint);
        const filtered = (await at('/styles/place.json?filter=weight%3E3')).json();
        assert.match(filtered.sources.place.url, /filter=weight%3E3/);
        assert.equal((await at('/styles/nowhere.json')).status, 404);
        assert.equal((await at('/styles/place.json?palette=pink')).json().parameter, 'palette');
    });

    await t.test('tile matrix sets and tilesets', async () => {
        const sets = (await at('/tileMatrixSets')).json();
        check(schema.tileMatrixSets, sets, 'sets');
        for (const { id } of sets.tileMatrixSets) check(schema.tileMatrixSet, (await at(`/tileMatrixSets/${id}`)).json(), id);
        const mercator = (await at('/tileMatrixSets/WebMercatorQuad')).json();
        // 17-083r4, annex D.1: scale and cell of level 0.
        assert.ok(Math.abs(mercator.tileMatrices[0].scaleDenominator - 559082264.028717) < 1e-5);
        assert.ok(Math.abs(mercator.tileMatrices[0].cellSize - 156543.033928041) < 1e-8);
        const degrees = (await at('/tileMatrixSets/CGCS2000Quad')).json();
        assert.deepEqual(degrees.tileMatrices[0], { id: '1', scaleDenominator: degrees.tileMatrices[0].scaleDenominator, cellSize: 180 / 256, cornerOfOrigin: 'topLeft', pointOfOrigin: [90, -180], tileWidth: 256, tileHeight: 256, matrixWidth: 2, matrixHeight: 1 });
        for (const kind of ['tiles', 'map/tiles']) {
            const list = (await at(`/collections/place/${kind}`)).json();
            check(schema.tileSets, list, kind);
            assert.deepEqual(list.tilesets.map((s) => s.tileMatrixSetId), kind === 'tiles' ? ['WebMercatorQuad'] : ['WebMercatorQuad', 'CGCS2000Quad']);
            for (const { tileMatrixSetId: id } of list.tilesets) {
                const set = (await at(`/collections/place/${kind}/${id}`)).json();
                check(schema.tileSet, set, id);
                const limits = set.tileMatrixSetLimits.find((l) => l.tileMatrix === String(Z));
                const row = id === 'WebMercatorQuad' ? Y : ROW;
                assert.ok(limits.minTileRow <= row && row <= limits.maxTileRow && limits.minTileCol <= X && X <= limits.maxTileCol, JSON.stringify(limits));
            }
        }
        for (const [target, status] of [['/tileMatrixSets/None', 404], ['/collections/place/tiles/CGCS2000Quad', 404], ['/collections/nowhere/tiles', 404],
            [`/collections/place/tiles/WebMercatorQuad/${Z}/${2 ** Z}/0`, 404], [`/collections/place/tiles/WebMercatorQuad/${Z}/-1/0`, 400],
            ['/collections/place/tiles/WebMercatorQuad/23/0/0', 404], ['/collections/place/tiles/WebMercatorQuad/01/0/0', 400],
            [`/collections/place/map/tiles/CGCS2000Quad/${Z}/${2 ** (Z - 1)}/0`, 404], ['/collections/place/map/tiles/CGCS2000Quad/0/0/0', 404],
            [`/collections/place/tiles/WebMercatorQuad/${Z}/${Y}/${X}?f=png`, 400]])
            assert.equal((await at(target)).status, status, target);
    });

    await t.test('a tile is the same bytes by every address, row before column', async () => {
        const vector = await at(`/tiles/place/${Z}/${X}/${Y}.mvt?filter=weight%3E3`);
        assert.equal(vector.status, 200);
        for (const target of [`/tiles/place/${Z}/${X}/${Y}.pbf?filter=weight%3E3`, `/collections/place/tiles/WebMercatorQuad/${Z}/${Y}/${X}?f=mvt&filter=weight%3E3`,
            `/collections/place/tiles/WebMercatorQuad/${Z}/${Y}/${X}?filter=weight%20%3E%203`])
            assert.ok((await at(target)).body.equals(vector.body), target);
        assert.ok(!(await at(`/collections/place/tiles/WebMercatorQuad/${Z}/${X}/${Y}`)).body.equals(vector.body));
        const heat = await at(`/tiles/${HEAT}/${Z}/${X}/${Y}.png?palette=light`);
        const kvp = (more) => `/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER=${HEAT}&TILEMATRIX=${Z}&TILEROW=${Y}&TILECOL=${X}&${more}`;
        for (const target of [kvp('STYLE=light&FORMAT=image/png&TILEMATRIXSET=WebMercatorQuad'), kvp('style=&tileMatrixSet=GoogleMapsCompatible'),
            `/wmts/1.0.0/${HEAT}/light/all/WebMercatorQuad/${Z}/${Y}/${X}.png`, `/wmts/1.0.0/${HEAT}/light/WebMercatorQuad/${Z}/${Y}/${X}.png`,
            `/wmts?layer=${HEAT}&service=wmts&request=gettile&tilematrixset=WebMercatorQuad&tilematrix=${Z}&tilerow=${Y}&tilecol=${X}&tk=abc`]) {
            const tile = await at(target);
            assert.equal(tile.headers['content-type'], 'image/png', `${target} ${tile.body}`);
            assert.ok(tile.body.equals(heat.body), target);
            assert.equal((await at(target, { headers: { 'If-None-Match': tile.headers.etag } })).status, 304);
        }
        const month = await at(`/tiles/${HEAT}/${Z}/${X}/${Y}.png?datetime=2023-02`);
        assert.ok((await at(`/wmts/1.0.0/${HEAT}/dark/2023-02/WebMercatorQuad/${Z}/${Y}/${X}.png`)).body.equals(month.body));
        assert.ok((await at(kvp('TIME=2023-02&STYLE=dark&TILEMATRIXSET=WebMercatorQuad'))).body.equals(month.body));
    });

    await t.test('a picture in degrees has the mercator pixels that hold its centres', async () => {
        for (const z of [2, 9, Z, 14]) {
            const x = tileX(LON, z), row = Math.floor((90 - LAT) / 360 * 2 ** z), parts = new Map();
            const plain = await at(`/wmts/1.0.0/${HEAT}/dark/CGCS2000Quad/${z}/${row}/${x}.png`);
            const named = await at(`/wmts/1.0.0/${HEAT}/dark/all/EPSG:4490/${z}/${row}/${x}.png`);
            assert.ok(plain.body.equals(named.body));
            const picture = decode(plain.body);
            assert.deepEqual([picture.width, picture.height], [256, 256]);
            for (let j = 0; j < 256; j++) {
                const lat = 90 - (row + (j + 0.5) / 256) * 360 / 2 ** z;
                const world = (1 - Math.log(Math.tan(Math.PI / 4 + lat * Math.PI / 360)) / Math.PI) / 2 * 256 * 2 ** z;
                const line = picture.rgba.subarray(j * 1024, j * 1024 + 1024);
                if (world < 0 || world >= 256 * 2 ** z) {
                    assert.ok(line.every((v) => v === 0));
                    continue;
                }
                const y = Math.floor(world / 256);
                if (!parts.has(y)) parts.set(y, decode((await at(`/tiles/${HEAT}/${z}/${x}/${y}.png`)).body));
                const k = Math.floor(world) % 256;
                assert.ok(line.equals(parts.get(y).rgba.subarray(k * 1024, k * 1024 + 1024)), `z ${z} row ${j}`);
            }
            assert.ok(parts.size >= 1 && picture.rgba.some((v) => v), `z ${z} is empty`);
        }
    });

    await t.test('WMTS capabilities are well-formed and read by OpenLayers', async () => {
        const rest = await at('/wmts/1.0.0/WMTSCapabilities.xml'), kvp = await at('/wmts?service=WMTS&request=GetCapabilities&acceptversions=1.0.0');
        assert.equal(rest.headers['content-type'], 'application/xml');
        assert.ok(rest.body.equals(kvp.body));
        await writeFile(path.join(dir, 'caps.xml'), rest.body);
        await run('xmllint', ['--noout', '--nonet', path.join(dir, 'caps.xml')]);
        const { DOMParser, Node } = await import('../../web/pages/node_modules/@xmldom/xmldom/lib/index.js').then((m) => m.default ?? m);
        // What browsers have and this parser has not.
        globalThis.Node ??= Node;
        const element = (node) => {
            while (node && node.nodeType !== Node.ELEMENT_NODE) node = node.nextSibling;
            return node;
        };
        Object.defineProperties(Node.prototype, {
            firstElementChild: { get() { return element(this.firstChild); }, configurable: true },
            nextElementSibling: { get() { return element(this.nextSibling); }, configurable: true },
        });
        const { default: WMTSCapabilities } = await import('../../web/pages/node_modules/ol/format/WMTSCapabilities.js');
        const caps = new WMTSCapabilities().read(new DOMParser().parseFromString(rest.text(), 'text/xml'));
        assert.equal(caps.version, '1.0.0');
        const layer = caps.Contents.Layer.find((l) => l.Identifier === HEAT);
        assert.deepEqual(layer.Style.map((s) => [s.Identifier, s.isDefault]), [['light', true], ['dark', false]]);
        const legend = await get(layer.Style[1].LegendURL[0].href);
        assert.equal(legend.headers['content-type'], 'image/png');
        decode(legend.body);
        assert.deepEqual(layer.TileMatrixSetLink.map((l) => l.TileMatrixSet), ['WebMercatorQuad', 'CGCS2000Quad', 'EPSG:4490']);
        assert.deepEqual(layer.Dimension[0].Value, ['all', '2023-01', '2023-02', '2023-03', '2023-04']);
        assert.equal(layer.Dimension[0].Default, 'all');
        const set = (id) => caps.Contents.TileMatrixSet.find((s) => s.Identifier === id);
        // The axes that GDAL was seen to want: URN latitude first, code longitude first.
        assert.equal(set('CGCS2000Quad').SupportedCRS, 'urn:ogc:def:crs:EPSG::4490');
        assert.deepEqual(set('CGCS2000Quad').TileMatrix[0].TopLeftCorner, [90, -180]);
        assert.equal(set('EPSG:4490').SupportedCRS, 'EPSG:4490');
        assert.deepEqual(set('EPSG:4490').TileMatrix[0].TopLeftCorner, [-180, 90]);
        // OpenLayers asks for the tile that holds the place, in every set.
        const { default: WMTS, optionsFromCapabilities } = await import('../../web/pages/node_modules/ol/source/WMTS.js');
        const { addProjection, fromLonLat } = await import('../../web/pages/node_modules/ol/proj.js');
        const { default: Projection } = await import('../../web/pages/node_modules/ol/proj/Projection.js');
        addProjection(new Projection({ code: 'EPSG:4490', units: 'degrees', axisOrientation: 'neu', extent: [-180, -90, 180, 90],
            metersPerUnit: Math.PI * 6378137 / 180 }));
        for (const [matrixSet, place, row] of [['WebMercatorQuad', fromLonLat([LON, LAT]), Y], ['CGCS2000Quad', [LON, LAT], ROW]]) {
            const source = new WMTS(optionsFromCapabilities(caps, { layer: HEAT, matrixSet }));
            const grid = source.getTileGrid(), level = grid.getMatrixIds().indexOf(String(Z));
            const tile = grid.getTileCoordForCoordAndZ(place, level);
            assert.deepEqual(tile.slice(1), [X, row], matrixSet);
            const url = source.getTileUrlFunction()(tile, 1, source.getProjection());
            assert.ok((await get(url)).body.equals((await at(`/wmts/1.0.0/${HEAT}/light/all/${matrixSet}/${Z}/${row}/${X}.png`)).body), url);
        }
        const template = layer.ResourceURL.find((u) => u.resourceType === 'tile').template;
        const filled = template.replace('{Style}', 'dark').replace('{Time}', 'all').replace('{TileMatrixSet}', 'WebMercatorQuad')
            .replace('{TileMatrix}', Z).replace('{TileRow}', Y).replace('{TileCol}', X);
        assert.ok((await get(filled)).body.equals((await at(`/tiles/${HEAT}/${Z}/${X}/${Y}.png`)).body));
    });

    await t.test('what is under a pixel', async () => {
        const i = 100, j = 60;
        const lon = (X * 256 + i + 0.5) / (256 * 2 ** Z) * 360 - 180;
        const lat = Math.atan(Math.sinh(Math.PI * (1 - 2 * (Y * 256 + j + 0.5) / (256 * 2 ** Z)))) * 180 / Math.PI;
        const value = (await at(`/value?name=${HEAT}&lon=${lon.toFixed(9)}&lat=${lat.toFixed(9)}&z=${Z}`)).json();
        for (const target of [`/wmts/1.0.0/${HEAT}/dark/all/WebMercatorQuad/${Z}/${Y}/${X}/${j}/${i}.json`,
            `/wmts?SERVICE=WMTS&REQUEST=GetFeatureInfo&LAYER=${HEAT}&STYLE=dark&TILEMATRIXSET=WebMercatorQuad&TILEMATRIX=${Z}&TILEROW=${Y}&TILECOL=${X}&I=${i}&J=${j}&INFOFORMAT=application/json`]) {
            const answer = await at(target);
            assert.deepEqual(answer.json(), value);
            assert.equal(answer.json().pixel.col, i);
            assert.equal(answer.json().pixel.row, j);
        }
        const unit = (await at(`/wmts/1.0.0/square/light/WebMercatorQuad/${Z}/${Y}/${X}/${j}/${i}.json`)).json();
        const inside = (await at(`/value?name=${HEAT}&lon=${lon}&lat=${lat}`)).json().units.square.id;
        assert.deepEqual(unit.features.map((f) => f.id), [inside]);
    });

    await t.test('what is wrong is an ExceptionReport with its code', async () => {
        const good = { SERVICE: 'WMTS', REQUEST: 'GetTile', LAYER: HEAT, STYLE: 'dark', FORMAT: 'image/png', TILEMATRIXSET: 'WebMercatorQuad', TILEMATRIX: Z, TILEROW: Y, TILECOL: X };
        const info = { ...good, REQUEST: 'GetFeatureInfo', I: 1, J: 1 };
        const ask = (params) => at(`/wmts?${new URLSearchParams(params)}`);
        assert.equal((await ask(good)).status, 200);
        const { DOMParser } = await import('../../web/pages/node_modules/@xmldom/xmldom/lib/index.js').then((m) => m.default ?? m);
        for (const [params, code, locator, status] of [
            [{ ...good, SERVICE: 'WMS' }, 'InvalidParameterValue', 'Service', 400], [{ ...good, REQUEST: 'GetMap' }, 'OperationNotSupported', 'Request', 501],
            [{ REQUEST: 'GetTile' }, 'MissingParameterValue', 'Service', 400], [{ SERVICE: 'WMTS' }, 'MissingParameterValue', 'Request', 400],
            [{ ...good, LAYER: '' }, 'MissingParameterValue', 'Layer', 400], [{ ...good, LAYER: 'heat:nowhere' }, 'InvalidParameterValue', 'Layer', 400],
            [{ ...good, STYLE: 'pink' }, 'InvalidParameterValue', 'Style', 400], [{ ...good, FORMAT: 'image/jpeg' }, 'InvalidParameterValue', 'Format', 400],
            [{ ...good, TILEMATRIXSET: 'x' }, 'InvalidParameterValue', 'TileMatrixSet', 400], [{ ...good, TILEMATRIX: 99 }, 'InvalidParameterValue', 'TileMatrix', 400],
            [{ ...good, TILEMATRIX: 'a' }, 'InvalidParameterValue', 'TileMatrix', 400], [{ ...good, TILEROW: 2 ** Z }, 'TileOutOfRange', 'TileRow', 400],
            [{ ...good, TILECOL: 2 ** Z }, 'TileOutOfRange', 'TileCol', 400], [{ ...good, TILEROW: -1 }, 'InvalidParameterValue', 'TileMatrix', 400],
            [{ ...good, TIME: 'tomorrow' }, 'InvalidParameterValue', 'Time', 400], [{ ...good, VERSION: '2.0.0' }, 'InvalidParameterValue', 'Version', 400],
            [{ SERVICE: 'WMTS', REQUEST: 'GetCapabilities', AcceptVersions: '2.0.0' }, 'VersionNegotiationFailed', 'AcceptVersions', 400],
            [{ ...info, I: 256 }, 'PointIJOutOfRange', 'I', 400], [{ ...info, J: -1 }, 'PointIJOutOfRange', 'J', 400],
            [{ ...info, INFOFORMAT: 'text/html' }, 'InvalidParameterValue', 'InfoFormat', 400], [{ ...good, filter: 'x y' }, 'InvalidParameterValue', 'filter', 400],
            [{ ...good, LAYER: '<script>&"' }, 'InvalidParameterValue', 'Layer', 400],
        ]) {
            const answer = await ask(params);
            assert.equal(answer.status, status, `${JSON.stringify(params)} ${answer.body}`);
            assert.equal(answer.headers['content-type'], 'application/xml');
            assert.equal(answer.headers['access-control-allow-origin'], undefined);
            const exception = new DOMParser().parseFromString(answer.text(), 'text/xml').getElementsByTagName('ows:Exception')[0];
            assert.equal(exception.getAttribute('exceptionCode'), code, JSON.stringify(params));
            assert.equal(exception.getAttribute('locator'), locator, JSON.stringify(params));
        }
        assert.equal((await at(`/wmts/1.0.0/${HEAT}/dark/WebMercatorQuad/${Z}/${2 ** Z}/0.png`)).status, 400);
        assert.equal((await at(`/wmts/1.0.0/nowhere/dark/WebMercatorQuad/${Z}/0/0.png`)).status, 404);
    });

    await t.test('no document names another host', async () => {
        const known = /^https?:\/\/(www\.opengis\.net|json-schema\.org|opensource\.org|www\.w3\.org)\//;
        for (const target of ['/?f=json', '/conformance', '/api', '/collections', '/collections/place', '/collections/place/queryables', '/collections/place/items?limit=2',
            '/catalog', '/tiles/place.json', '/tiles/place/metadata.json', '/styles/place.json', '/styles/heat:place.json', '/tileMatrixSets/WebMercatorQuad',
            '/collections/place/tiles/WebMercatorQuad', '/collections/place/map/tiles'])
            for (const text of texts((await at(target)).json()))
                for (const [url] of text.matchAll(/https?:\/\/[^"' ]*/g))
                    assert.ok(url.startsWith(server.url) || known.test(url), `${target}: ${url}`);
        for (const [url] of (await at('/wmts/1.0.0/WMTSCapabilities.xml')).text().matchAll(/https?:\/\/[^"'< ]*/g))
            assert.ok(url.startsWith(server.url) || known.test(url), url);
    });
});
