/* schemas.mjs - JSON Schemas of the documents that are served, written from the
 * published rules: TileJSON 3.0.0 (github.com/mapbox/tilejson-spec, 3.0.0),
 * GeoJSON (RFC 7946), OGC API Common and Features Part 1 (17-069r4, clause 7),
 * OGC Two Dimensional Tile Matrix Set 2.0 (17-083r4, clause 7 and annex). No
 * file of theirs is copied. */
const url = { type: 'string', pattern: '^https?://' };
const link = {
    type: 'object', required: ['href', 'rel'],
    properties: { href: url, rel: { type: 'string', minLength: 1 }, type: { type: 'string' }, title: { type: 'string' }, templated: { type: 'boolean' } },
};
const links = { type: 'array', items: link };
const lon = { type: 'number', minimum: -180, maximum: 180 }, lat = { type: 'number', minimum: -90, maximum: 90 };

export const tileJson = {
    type: 'object', required: ['tilejson', 'tiles', 'vector_layers'],
    properties: {
        tilejson: { const: '3.0.0' },
        tiles: { type: 'array', minItems: 1, items: { type: 'string', pattern: '^https?://.*\\{z\\}.*\\{x\\}.*\\{y\\}' } },
        vector_layers: {
            type: 'array', items: {
                type: 'object', required: ['id', 'fields'],
                properties: {
                    id: { type: 'string', minLength: 1 }, description: { type: 'string' },
                    fields: { type: 'object', additionalProperties: { type: 'string' } },
                    minzoom: { type: 'integer', minimum: 0, maximum: 30 }, maxzoom: { type: 'integer', minimum: 0, maximum: 30 },
                },
            },
        },
        attribution: { type: 'string' }, description: { type: 'string' }, name: { type: 'string' }, legend: { type: 'string' },
        version: { type: 'string', pattern: '^\\d+\\.\\d+\\.\\d+$' }, scheme: { enum: ['xyz', 'tms'] },
        bounds: { type: 'array', minItems: 4, maxItems: 4, prefixItems: [lon, lat, lon, lat] },
        center: { type: 'array', minItems: 3, maxItems: 3, prefixItems: [lon, lat, { type: 'integer', minimum: 0, maximum: 30 }] },
        minzoom: { type: 'integer', minimum: 0, maximum: 30 }, maxzoom: { type: 'integer', minimum: 0, maximum: 30 },
    },
};

const position = { type: 'array', minItems: 2, maxItems: 3, items: { type: 'number' } };
const line = { type: 'array', minItems: 2, items: position };
const ring = { type: 'array', minItems: 4, items: position };
const polygon = { type: 'array', minItems: 1, items: ring };
const shape = (type, coordinates) => ({
    type: 'object', required: ['type', 'coordinates'], properties: { type: { const: type }, coordinates },
});
const geometry = {
    oneOf: [{ type: 'null' }, shape('Point', position), shape('LineString', line), shape('Polygon', polygon),
        shape('MultiLineString', { type: 'array', items: line }), shape('MultiPolygon', { type: 'array', items: polygon })],
};
export const feature = {
    type: 'object', required: ['type', 'geometry', 'properties'],
    properties: { type: { const: 'Feature' }, id: { type: ['string', 'number'] }, geometry, properties: { type: ['object', 'null'] }, links },
};
export const features = {
    type: 'object', required: ['type', 'features', 'numberMatched', 'numberReturned', 'timeStamp', 'links'],
    properties: {
        type: { const: 'FeatureCollection' }, features: { type: 'array', items: feature },
        numberMatched: { type: 'integer', minimum: 0 }, numberReturned: { type: 'integer', minimum: 0 },
        timeStamp: { type: 'string', format: 'date-time', pattern: 'Z$' }, links,
    },
};

export const landing = {
    type: 'object', required: ['links'],
    properties: { title: { type: 'string' }, description: { type: 'string' }, links },
};
export const conformance = {
    type: 'object', required: ['conformsTo'], properties: { conformsTo: { type: 'array', minItems: 4, uniqueItems: true, items: url } },
};
export const collection = {
    type: 'object', required: ['id', 'links', 'extent', 'crs', 'storageCrs'],
    properties: {
        id: { type: 'string' }, title: { type: 'string' }, itemType: { const: 'feature' }, links,
        crs: { type: 'array', minItems: 1, items: url }, storageCrs: url,
        extent: {
            type: 'object', properties: {
                spatial: { type: 'object', required: ['bbox'], properties: { crs: url, bbox: { type: 'array', minItems: 1, items: { type: 'array', minItems: 4, maxItems: 6, items: { type: 'number' } } } } },
                temporal: { type: 'object', required: ['interval'], properties: { trs: url, interval: { type: 'array', minItems: 1, items: { type: 'array', minItems: 2, maxItems: 2, items: { type: ['string', 'null'], format: 'date-time' } } } } },
            },
        },
    },
};
export const collections = {
    type: 'object', required: ['links', 'collections'], properties: { links, collections: { type: 'array', items: collection } },
};

const count = { type: 'integer', minimum: 1 };
export const tileMatrixSet = {
    type: 'object', required: ['crs', 'tileMatrices'],
    properties: {
        id: { type: 'string', pattern: '^[\\w\\d_\\-]+$' }, title: { type: 'string' }, uri: url, crs: url, wellKnownScaleSet: url,
        orderedAxes: { type: 'array', minItems: 1, items: { type: 'string' } },
        tileMatrices: {
            type: 'array', minItems: 1, items: {
                type: 'object', required: ['id', 'scaleDenominator', 'cellSize', 'pointOfOrigin', 'tileWidth', 'tileHeight', 'matrixWidth', 'matrixHeight'],
                properties: {
                    id: { type: 'string' }, scaleDenominator: { type: 'number', exclusiveMinimum: 0 }, cellSize: { type: 'number', exclusiveMinimum: 0 },
                    cornerOfOrigin: { enum: ['topLeft', 'bottomLeft'] }, pointOfOrigin: { type: 'array', minItems: 2, maxItems: 2, items: { type: 'number' } },
                    tileWidth: count, tileHeight: count, matrixWidth: count, matrixHeight: count,
                },
            },
        },
    },
};
export const tileSet = {
    type: 'object', required: ['dataType', 'crs', 'links'],
    anyOf: [{ required: ['tileMatrixSetURI'] }, { required: ['tileMatrixSetId'] }],
    properties: {
        title: { type: 'string' }, dataType: { enum: ['map', 'vector', 'coverage'] }, crs: url, tileMatrixSetURI: url, links,
        tileMatrixSetLimits: {
            type: 'array', items: {
                type: 'object', required: ['tileMatrix', 'minTileRow', 'maxTileRow', 'minTileCol', 'maxTileCol'],
                properties: Object.fromEntries(['minTileRow', 'maxTileRow', 'minTileCol', 'maxTileCol'].map((k) => [k, { type: 'integer', minimum: 0 }])),
            },
        },
        layers: {
            type: 'array', items: {
                type: 'object', required: ['id', 'dataType'],
                properties: { id: { type: 'string' }, dataType: { enum: ['map', 'vector', 'coverage'] }, geometryDimension: { type: 'integer', minimum: 0, maximum: 3 }, propertiesSchema: { type: 'object', required: ['type', 'properties'] } },
            },
        },
        boundingBox: { type: 'object', required: ['lowerLeft', 'upperRight'], properties: { lowerLeft: position, upperRight: position, crs: url } },
        centerPoint: { type: 'object', required: ['coordinates'], properties: { coordinates: position, crs: url, tileMatrix: { type: 'string' } } },
    },
};
export const tileSets = { type: 'object', required: ['tilesets'], properties: { tilesets: { type: 'array', items: tileSet }, links } };
export const tileMatrixSets = {
    type: 'object', required: ['tileMatrixSets'],
    properties: { tileMatrixSets: { type: 'array', items: { type: 'object', required: ['links'], properties: { id: { type: 'string' }, links } } } },
};

/** A checker: check(schema, value, name) throws with what is wrong. */
export async function checker() {
    const { default: Ajv2020 } = await import('../../web/pages/node_modules/ajv/dist/2020.js');
    const { default: addFormats } = await import('../../web/pages/node_modules/ajv-formats/dist/index.js');
    const ajv = new Ajv2020.default({ allErrors: true, strict: true, allowUnionTypes: true, strictRequired: false });
    addFormats.default(ajv);
    const made = new Map();
    return (schema, value, name) => {
        if (!made.has(schema)) made.set(schema, ajv.compile(schema));
        const validate = made.get(schema);
        if (!validate(value)) throw new Error(`${name}: ${ajv.errorsText(validate.errors, { separator: '\n' })}`);
    };
}
