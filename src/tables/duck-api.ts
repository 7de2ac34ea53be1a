/**
 * DuckDB's client, loaded as the CommonJS that it is. Were it imported, Node would read each of its files once more to
 * find the names that it exports, which takes every thread and process a tenth of a second.
 */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** All that the package exports; its types may be imported from there, they are gone when code runs. */
export const duckdb: typeof import('@duckdb/node-api') = require('@duckdb/node-api');
