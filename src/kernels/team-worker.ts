/** Entry of a thread of a `Team`. */
import { parentPort, workerData } from 'node:worker_threads';
import { serve, type TeamStart } from './team.ts';

parentPort?.postMessage('ready');
serve(workerData as TeamStart);
