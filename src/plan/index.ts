export type { Plan } from './build.ts';
export { describeCoordinates, describeTask, type PlanShape, type Task } from './types.ts';
