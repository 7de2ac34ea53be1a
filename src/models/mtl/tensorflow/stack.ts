/**
 * A stack of networks on TensorFlow.js: one after another, gradients by its own differentiation. A second opinion on
 * the arithmetic, and a way to a GPU where TensorFlow runs and NVRTC does not; not a fast engine for small networks.
 */
import type { Rng } from '../../../random/rng.ts';
import type { Tuple } from '../../../tuple.ts';
import { maskSeed, staysOf } from '../counter-masks.ts';
import { type Layout, layoutOf, type Tensor as Place } from '../layout.ts';
import type { LossSums } from '../losses.ts';
import { type NetworkShape, outputsOf } from '../shape.ts';
import {
  batchStarts,
  type MemberRegion,
  type MemberSettings,
  memberRegions,
  type Stack,
  type StackRequest,
  type StatePart,
  type StepReport,
} from '../stack.ts';
import type { Tensor, TensorFlow, Variable } from './api.ts';
import { headLosses, headValues } from './heads.ts';

const EPSILON = 1e-5;
const TURN = 8;
const MEASURED_ROWS = 1024;

/** The variables of one network, by the tensors of its layout. */
interface Member {
  readonly parameters: readonly Variable[];
  readonly first: readonly Variable[];
  readonly second: readonly Variable[];
  readonly running: readonly Variable[];
  settings: MemberSettings | undefined;
  dropoutSeed: number;
  steps: number;
}

export class TensorflowStack implements Stack {
  readonly shape: NetworkShape;
  readonly layout: Layout;
  readonly size: number;
  readonly turn = TURN;
  readonly measuredAtOnce = MEASURED_ROWS;
  readonly #tf: TensorFlow;
  readonly #members: readonly Member[];
  readonly #features: Tensor;
  /** Targets with 0 where they are missing, and 1 where they are there. */
  readonly #targets: Tensor;
  readonly #present: Tensor;
  readonly #starts: readonly number[];
  readonly #trainRows: number;

  constructor(tf: TensorFlow, { shape, networks, batchSize, trainRows, features, targets }: StackRequest) {
    this.#tf = tf;
    this.shape = shape;
    this.layout = layoutOf(shape);
    this.size = networks;
    this.#starts = batchStarts(trainRows, batchSize);
    this.#trainRows = trainRows;
    const rows = features.length / shape.inputs;
    const outputs = outputsOf(shape);
    this.#features = tf.tensor2d(features, [rows, shape.inputs]);
    this.#targets = tf.tensor2d(
      targets.map((value) => (Number.isNaN(value) ? 0 : value)),
      [rows, outputs],
    );
    this.#present = tf.tensor2d(
      targets.map((value) => (Number.isNaN(value) ? 0 : 1)),
      [rows, outputs],
    );
    const zeros = (region: 'parameters' | 'running'): Variable[] =>
      this.#places(region).map(({ rows: r, columns }) => {
        const initial = tf.tensor2d(new Float32Array(r * columns), [r, columns]);
        const variable = tf.variable(initial);
        initial.dispose();
        return variable;
      });
    this.#members = Array.from({ length: networks }, () => ({
      parameters: zeros('parameters'),
      first: zeros('parameters'),
      second: zeros('parameters'),
      running: zeros('running'),
      settings: undefined,
      dropoutSeed: 0,
      steps: 0,
    }));
  }

  #places(region: 'parameters' | 'running'): readonly Place[] {
    return this.layout.tensors.filter((tensor) => tensor.region === region);
  }

  #member(network: number): Member {
    return this.#members[network] as Member;
  }

  write(network: number, region: MemberRegion, values: Float32Array): void {
    const variables = this.#member(network)[region];
    for (const [i, { rows, columns, offset, stride }] of this.#places(placeOf(region)).entries()) {
      const own = new Float32Array(rows * columns);
      for (let row = 0; row < rows; row++)
        own.set(values.subarray(offset + row * stride, offset + row * stride + columns), row * columns);
      const tensor = this.#tf.tensor2d(own, [rows, columns]);
      (variables[i] as Variable).assign(tensor);
      tensor.dispose();
    }
  }

  read(network: number, region: MemberRegion): Float32Array {
    const values = new Float32Array(this.layout[placeOf(region)]);
    const variables = this.#member(network)[region];
    for (const [i, { rows, columns, offset, stride }] of this.#places(placeOf(region)).entries()) {
      const own = (variables[i] as Variable).dataSync();
      for (let row = 0; row < rows; row++)
        values.set(own.subarray(row * columns, (row + 1) * columns), offset + row * stride);
    }
    return values;
  }

  state(network: number): StatePart[] {
    const { dropoutSeed, steps } = this.#member(network);
    const regions = memberRegions.map((name) => ({ name, bytes: new Uint8Array(this.read(network, name).buffer) }));
    return [...regions, { name: 'counters', bytes: new Uint8Array(Uint32Array.of(dropoutSeed, steps).buffer) }];
  }

  restore(network: number, parts: readonly StatePart[]): void {
    const member = this.#member(network);
    for (const { name, bytes } of parts) {
      const region = memberRegions.find((one) => one === name);
      const copy = bytes.slice().buffer;
      if (region !== undefined) this.write(network, region, new Float32Array(copy));
      else [member.dropoutSeed, member.steps] = new Uint32Array(copy) as unknown as [number, number];
    }
  }

  configure(network: number, settings: MemberSettings): void {
    this.#member(network).settings = settings;
  }

  seedDropout(network: number, rng: Rng): void {
    this.#member(network).dropoutSeed = maskSeed(rng);
  }

  train(
    networks: readonly number[],
    orders: readonly Uint32Array[],
    from: number,
    to: number,
    sums: readonly LossSums[],
  ): StepReport[] {
    return networks.map((network, i) => {
      const order = orders[i] as Uint32Array;
      let norm = 0;
      for (let batch = from; batch < to && Number.isFinite(norm); batch++) {
        const rows = order.subarray(this.#starts[batch], this.#starts[batch + 1] ?? this.#trainRows);
        norm = this.#step(this.#member(network), rows, sums[i] as LossSums);
      }
      return { norm, diverged: !Number.isFinite(norm) };
    });
  }

  /** One step; returns the norm of the gradient before clipping. */
  #step(member: Member, rows: Uint32Array, sums: LossSums): number {
    const tf = this.#tf;
    return tf.tidy(() => {
      const [x, y, present] = this.#batch(rows);
      const settings = member.settings as MemberSettings;
      let kept: { readonly losses: Tensor; readonly counts: Tensor } | undefined;
      const { grads } = tf.variableGrads(() => {
        const outputs = this.#outputs(member, this.#encode(member, x, rows.length));
        const { loss, losses, counts } = headLosses(tf, this.shape, outputs, y, present, settings.weights);
        kept = { losses: tf.keep(losses), counts: tf.keep(counts) };
        return loss;
      }, [...member.parameters]);
      if (kept !== undefined) {
        addTo(sums, kept.losses, kept.counts);
        tf.dispose([kept.losses, kept.counts]);
      }
      return this.#update(member, Object.values(grads));
    });
  }

  #batch(rows: Uint32Array): [Tensor, Tensor, Tensor] {
    const tf = this.#tf;
    const indices = tf.tensor1d(Int32Array.from(rows), 'int32');
    return [tf.gather(this.#features, indices), tf.gather(this.#targets, indices), tf.gather(this.#present, indices)];
  }

  /** Hidden layers with the statistics of the batch, which move the running ones, and dropout. */
  #encode(member: Member, x: Tensor, rows: number): Tensor {
    const tf = this.#tf;
    let a = x;
    for (const [l, units] of this.shape.hidden.entries()) {
      const z = tf.matMul(a, member.parameters[3 * l] as Variable);
      const mean = tf.mean(z, 0);
      const centred = tf.sub(z, mean);
      const variance = tf.mean(tf.square(centred), 0);
      const move = (variable: Variable, value: Tensor, factor: number): void =>
        variable.assign(tf.add(tf.mul(variable, 0.9), tf.mul(value, 0.1 * factor)));
      move(member.running[2 * l] as Variable, mean, 1);
      move(member.running[2 * l + 1] as Variable, variance, rows / (rows - 1));
      a = this.#activate(member, l, tf.div(centred, tf.sqrt(tf.add(variance, EPSILON))));
      const rate = member.settings?.dropout[l] ?? 0;
      if (rate > 0) {
        const { values, keep } = staysOf(member.dropoutSeed, member.steps, l, rows, units, rate);
        a = tf.mul(
          a,
          tf.tensor2d(
            values.map((stays) => stays * keep),
            [rows, units],
          ),
        );
      }
    }
    return a;
  }

  #activate(member: Member, layer: number, normalised: Tensor): Tensor {
    const tf = this.#tf;
    const [gamma, beta] = member.parameters.slice(3 * layer + 1) as [Variable, Variable];
    return tf.relu(tf.add(tf.mul(normalised, gamma), beta));
  }

  /** Pre-activations of all heads. */
  #outputs(member: Member, encoded: Tensor): Tensor {
    const [weight, bias] = member.parameters.slice(-2) as [Variable, Variable];
    return this.#tf.add(this.#tf.matMul(encoded, weight), bias);
  }

  #update(member: Member, gradients: readonly Tensor[]): number {
    const tf = this.#tf;
    const { learningRate, weightDecay, decoupled, clipNorm } = member.settings as MemberSettings;
    let squares: Tensor | number = 0;
    for (const gradient of gradients) squares = tf.add(squares, tf.sum(tf.square(gradient)));
    const norm = Math.sqrt((squares as Tensor).dataSync()[0] as number);
    if (!Number.isFinite(norm)) return norm;
    const clip = Math.min(1, clipNorm / (norm + 1e-6));
    member.steps++;
    const root = Math.sqrt(1 - 0.999 ** member.steps);
    const rate = (learningRate * root) / (1 - 0.9 ** member.steps);
    for (const [i, gradient] of gradients.entries()) {
      const [p, m, v] = [member.parameters, member.first, member.second].map((all) => all[i]) as Tuple<Variable, 3>;
      let g = tf.mul(gradient, clip);
      if (!decoupled) g = tf.add(g, tf.mul(p, weightDecay));
      m.assign(tf.add(tf.mul(m, 0.9), tf.mul(g, 0.1)));
      v.assign(tf.add(tf.mul(v, 0.999), tf.mul(tf.square(g), 0.001)));
      const step = tf.div(tf.mul(m, rate), tf.add(tf.sqrt(v), 1e-8 * root));
      p.assign(tf.sub(decoupled ? tf.mul(p, 1 - learningRate * weightDecay) : p, step));
    }
    return norm;
  }

  /** Pre-activations with the running statistics and without dropout. */
  #frozen(member: Member, x: Tensor): Tensor {
    const tf = this.#tf;
    let a = x;
    for (const l of this.shape.hidden.keys()) {
      const [mean, variance] = member.running.slice(2 * l) as [Variable, Variable];
      const z = tf.matMul(a, member.parameters[3 * l] as Variable);
      a = this.#activate(member, l, tf.div(tf.sub(z, mean), tf.sqrt(tf.add(variance, EPSILON))));
    }
    return this.#outputs(member, a);
  }

  measure(networks: readonly number[], rows: Uint32Array, sums: readonly LossSums[]): void {
    for (const [i, network] of networks.entries())
      for (let first = 0; first < rows.length; first += MEASURED_ROWS)
        this.#tf.tidy(() => {
          const [x, y, present] = this.#batch(rows.subarray(first, first + MEASURED_ROWS));
          const outputs = this.#frozen(this.#member(network), x);
          const { losses, counts } = headLosses(this.#tf, this.shape, outputs, y, present, []);
          addTo(sums[i] as LossSums, losses, counts);
        });
  }

  predict(network: number, rows: Uint32Array): Float32Array {
    const stride = this.layout.heads.paddedOutputs;
    const outputs = outputsOf(this.shape);
    const values = new Float32Array(rows.length * stride);
    for (let first = 0; first < rows.length; first += MEASURED_ROWS)
      this.#tf.tidy(() => {
        const part = rows.subarray(first, first + MEASURED_ROWS);
        const [x] = this.#batch(part);
        const own = headValues(this.#tf, this.shape, this.#frozen(this.#member(network), x)).dataSync();
        for (let row = 0; row < part.length; row++)
          values.set(own.subarray(row * outputs, (row + 1) * outputs), (first + row) * stride);
      });
    return values;
  }

  free(): void {
    for (const { parameters, first, second, running } of this.#members)
      this.#tf.dispose([...parameters, ...first, ...second, ...running]);
    this.#tf.dispose([this.#features, this.#targets, this.#present]);
  }
}

function placeOf(region: MemberRegion): 'parameters' | 'running' {
  return region === 'running' ? 'running' : 'parameters';
}

function addTo({ losses, counts }: LossSums, moreLosses: Tensor, moreCounts: Tensor): void {
  const [a, b] = [moreLosses.dataSync(), moreCounts.dataSync()];
  for (let c = 0; c < losses.length; c++) {
    losses[c] = (losses[c] as number) + (a[c] as number);
    counts[c] = (counts[c] as number) + (b[c] as number);
  }
}
