"""Every loss against a twin that loops over samples and clusters as the equation is printed, and its gradient."""

import math

import pytest
import torch
from torch.autograd import gradcheck

from dcbook import losses

B, D, K, PIXELS = 7, 3, 4, 12


@pytest.fixture
def batch():
    random = torch.Generator().manual_seed(0)
    x, x_hat, u, centers = (
        torch.randn(shape, generator=random, dtype=torch.float64)
        for shape in ((B, PIXELS), (B, PIXELS), (B, D), (K, D))
    )
    q = torch.softmax(3 * torch.randn(B, K, generator=random, dtype=torch.float64), 1)
    return x, x_hat, u, centers, q


def distance(a, b):
    return sum((float(s) - float(t)) ** 2 for s, t in zip(a, b, strict=True))


def test_memberships_are_equation_2(batch):
    _, _, u, centers, _ = batch
    for m in (1.5, 2.0):
        p = losses.memberships(u, centers, m)
        for i in range(B):
            terms = [distance(u[i], centers[k]) ** (-1 / (m - 1)) for k in range(K)]
            assert p[i].tolist() == pytest.approx([t / sum(terms) for t in terms])


def test_membership_by_hand():
    # squared distances 1 and 4; m = 1.5 raises them to the power -2: 1 against 1/16
    p = losses.memberships(torch.tensor([[0.0]]), torch.tensor([[1.0], [2.0]]), 1.5)
    assert p[0].tolist() == pytest.approx([16 / 17, 1 / 17])


def test_sample_on_a_center_belongs_to_it():
    p = losses.memberships(torch.zeros(1, 2), torch.tensor([[0.0, 0.0], [1.0, 0.0]]))
    assert torch.isfinite(p).all() and p[0, 0] == pytest.approx(1)


def test_phase_1_losses_are_equations_1(batch):
    x, x_hat, u, centers, _ = batch
    weights = losses.memberships(u, centers) ** 1.5
    for k in range(K):
        one = slice(k, k + 1)
        reconstruction = sum(float(weights[i, k]) * distance(x[i], x_hat[i]) for i in range(B))
        centering = sum(float(weights[i, k]) * distance(u[i], centers[k]) for i in range(B))
        assert losses.weighted_reconstruction(x, x_hat, weights[:, one]).item() == pytest.approx(reconstruction)
        assert losses.weighted_centering(u, centers[one], weights[:, one]).item() == pytest.approx(centering)
        assert losses.cluster_loss(reconstruction, centering, 0.1) == pytest.approx(reconstruction + 0.1 * centering)


def test_all_columns_give_the_sum_of_the_cluster_losses(batch):
    x, x_hat, u, centers, _ = batch
    weights = losses.memberships(u, centers) ** 1.5
    one_by_one = sum(losses.weighted_reconstruction(x, x_hat, weights[:, k : k + 1]) for k in range(K))
    torch.testing.assert_close(losses.weighted_reconstruction(x, x_hat, weights), one_by_one)
    one_by_one = sum(losses.weighted_centering(u, centers[k : k + 1], weights[:, k : k + 1]) for k in range(K))
    torch.testing.assert_close(losses.weighted_centering(u, centers, weights), one_by_one)


def test_images_count_every_pixel_once():
    x, x_hat = torch.zeros(2, 3, 4, 4), torch.ones(2, 3, 4, 4)
    assert losses.weighted_reconstruction(x, x_hat, torch.tensor([[1.0], [0.5]])).item() == pytest.approx(1.5 * 48)
    assert losses.mean_squared_error(x, x_hat).item() == pytest.approx(1)


def test_centers_are_equation_3(batch):
    _, _, u, _, q = batch
    centers = losses.weighted_centers(u, q, 1.5)
    for k in range(K):
        weight = [float(q[i, k]) ** 1.5 for i in range(B)]
        expected = [sum(w * float(u[i, j]) for i, w in enumerate(weight)) / sum(weight) for j in range(D)]
        assert centers[k].tolist() == pytest.approx(expected)


@pytest.mark.parametrize("released", [False, True])
def test_pairwise_loss_is_equations_4_and_5(batch, released):
    q = batch[-1]
    p = torch.softmax(2 * q.flip(0), 1)
    for judge in (p, q):
        expected = 0.0
        for i in range(B):
            for j in range(B):
                if i == j and not released:
                    continue
                s, agreement = float(judge[i] @ judge[j]), float(q[i] @ q[j])
                expected += (1 - agreement) * (s >= 0.5) + agreement * (s <= 0.3)
        assert losses.pairwise_loss(q, judge @ judge.T, 0.5, 0.3, released=released).item() == pytest.approx(expected)


def test_the_paper_includes_the_thresholds_and_the_code_does_not():
    q = torch.tensor([[1.0, 0.0], [0.75, 0.25]])
    similarity = torch.tensor([[0.0, 0.5], [0.5, 0.0]])
    assert losses.pairwise_loss(q, similarity, 0.5, 0.25).item() == pytest.approx(2 * 0.25)
    assert losses.pairwise_loss(q, similarity.fill_diagonal_(0.5), 0.5, 0.25, released=True).item() == 0


def test_rounding_stops_the_gradient():
    q = torch.tensor([[0.995, 0.004, 0.001], [0.6, 0.3, 0.1]], requires_grad=True)
    rounded = losses.rounded(q)
    assert rounded.tolist()[0] == [1, 0, 0]
    rounded.sum().backward()
    assert q.grad.tolist() == [[0, 0, 0], [1, 1, 1]]


def test_student_t_is_dec_equation_1(batch):
    _, _, u, centers, _ = batch
    for alpha in (1.0, 2.5):
        q = losses.student_t(u, centers, alpha)
        for i in range(B):
            terms = [(1 + distance(u[i], centers[k]) / alpha) ** (-(alpha + 1) / 2) for k in range(K)]
            assert q[i].tolist() == pytest.approx([t / sum(terms) for t in terms])


def test_target_is_dec_equation_3(batch):
    q = batch[-1]
    frequency = [sum(float(q[i, k]) for i in range(B)) for k in range(K)]
    target = losses.target_distribution(q)
    for i in range(B):
        terms = [float(q[i, k]) ** 2 / frequency[k] for k in range(K)]
        assert target[i].tolist() == pytest.approx([t / sum(terms) for t in terms])


def test_a_cluster_without_weight_leaves_the_others_as_they_are():
    u, centers = torch.tensor([[0.0], [0.1], [100], [100.1]]), torch.tensor([[0.0], [100], [1e6]])
    q, p = losses.student_t(u, centers, alpha=30.0), losses.memberships(u, centers, 1.05)
    assert not q[:, 2].any() and not p[:, 2].any()
    torch.testing.assert_close(losses.target_distribution(q), q)
    moved = losses.weighted_centers(u, p, 1.05, before=centers)
    torch.testing.assert_close(moved, torch.tensor([[0.05], [100.05], [1e6]]))


def test_kl_divergence(batch):
    q = batch[-1]
    p = losses.target_distribution(q)
    expected = sum(float(p[i, k]) * math.log(p[i, k] / q[i, k]) for i in range(B) for k in range(K)) / B
    assert losses.kl_divergence(p, q).item() == pytest.approx(expected)


def test_mean_squared_error_is_a_mean_over_pixels_too(batch):
    x, x_hat, *_ = batch
    expected = sum(distance(x[i], x_hat[i]) for i in range(B)) / (B * PIXELS)
    assert losses.mean_squared_error(x, x_hat).item() == pytest.approx(expected)


def test_kl_knows_that_zero_times_log_zero_is_zero():
    p = torch.tensor([[1.0, 0.0]])
    assert losses.kl_divergence(p, p).item() == 0


def test_dcn_loss(batch):
    x, x_hat, u, centers, _ = batch
    own = centers[[0, 1, 1, 3, 2, 0, 3]]
    reconstruction = sum(distance(x[i], x_hat[i]) for i in range(B)) / B
    clustering = sum(distance(u[i], own[i]) for i in range(B)) / B
    loss = losses.dcn_loss(losses.squared_error(x, x_hat), losses.squared_error(u, own), 0.6)
    assert loss.item() == pytest.approx(reconstruction + 0.3 * clustering)


@pytest.mark.parametrize("count", [0, 1, 100, math.inf])
def test_running_means_take_one_sample_after_the_other(batch, count):
    _, _, u, centers, _ = batch
    labels = torch.tensor([0, 1, 1, 3, 0, 0, 3])
    expected, counts = centers.clone(), [float(count)] * K
    for i, k in enumerate(labels.tolist()):
        counts[k] += 1
        expected[k] += (u[i] - expected[k]) / counts[k]
    moved, new_counts = losses.running_means(centers, torch.full((K,), float(count)), u, labels)
    torch.testing.assert_close(moved, expected)
    assert new_counts.tolist() == counts
    assert torch.equal(moved[2], centers[2]), "a cluster without samples stays"


def test_soft_kmeans(batch):
    _, _, u, centers, _ = batch
    for alpha in (0.5, 1000.0):
        expected = 0.0
        for i in range(B):
            d = [distance(u[i], centers[k]) for k in range(K)]
            weights = [math.exp(-alpha * (d[k] - min(d))) for k in range(K)]
            expected += sum(w * d[k] for k, w in enumerate(weights)) / sum(weights) / B
        assert losses.soft_kmeans(u, centers, alpha).item() == pytest.approx(expected)


def test_bernoulli_error(batch):
    x, logits = batch[0].sigmoid(), batch[1]
    p = logits.sigmoid()
    pairs = zip(x.flatten().tolist(), p.flatten().tolist(), strict=True)
    expected = -sum(a * math.log(b) + (1 - a) * math.log(1 - b) for a, b in pairs) / B
    assert losses.bernoulli_error(x, logits).item() == pytest.approx(expected)


def test_vade_divergence_is_that_of_the_two_distributions(batch):
    """KL(q(z|x) q(c|x) || p(z, c)) with the densities of torch.distributions, and gamma as Bayes' rule gives it."""
    _, _, u, means, q = batch
    normal, kl = torch.distributions.Normal, torch.distributions.kl_divergence
    log_variance, log_variances = u.flip(0) / 2, means.flip(1) / 3
    weights = q[0]
    mixture = (weights.log(), means, log_variances)
    joint = torch.tensor(
        [
            [weights[k] * normal(means[k], (log_variances[k] / 2).exp()).log_prob(u[i]).sum().exp() for k in range(K)]
            for i in range(B)
        ]
    )
    gamma = joint / joint.sum(1, keepdim=True)
    torch.testing.assert_close(losses.log_mixture(u, *mixture).softmax(1), gamma)
    expected = 0.0
    for i in range(B):
        posterior = normal(u[i] / 2, (log_variance[i] / 2).exp())
        for k in range(K):
            prior = normal(means[k], (log_variances[k] / 2).exp())
            expected += float(gamma[i, k] * (kl(posterior, prior).sum() + (gamma[i, k] / weights[k]).log())) / B
    divergence = losses.mixture_divergence(u / 2, log_variance, gamma.log(), *mixture)
    assert divergence.item() == pytest.approx(expected)


def cosine(a, b):
    return float(a @ b) / math.sqrt(float(a @ a) * float(b @ b))


def test_nt_xent_is_simclr_equation_1(batch):
    _, _, a, _, _ = batch
    b = a.flip(1) + 0.3
    views = [*a, *b]
    for temperature in (0.1, 0.5):
        expected = 0.0
        for i in range(2 * B):
            terms = [math.exp(cosine(views[i], views[k]) / temperature) if k != i else 0.0 for k in range(2 * B)]
            expected -= math.log(terms[(i + B) % (2 * B)] / sum(terms)) / (2 * B)
        assert losses.nt_xent(a, b, temperature).item() == pytest.approx(expected)
        assert losses.nt_xent(3 * a, b / 7, temperature).item() == pytest.approx(expected), "lengths play no part"


def test_nt_xent_by_hand():
    # two samples whose views agree and are orthogonal to the others': one term of e, two of 1 in the sum
    a = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    assert losses.nt_xent(a, a, 1.0).item() == pytest.approx(-math.log(math.e / (math.e + 2)))
    # the other way round: a view's partner is orthogonal to it, the other sample's second view is equal
    assert losses.nt_xent(a, a.flip(0), 1.0).item() == pytest.approx(-math.log(1 / (math.e + 2)))
    assert losses.nt_xent(a[:1], a[1:], 0.1).item() == 0, "one sample has no negatives"


def test_nt_xent_of_the_first_views_alone(batch):
    """SCAN's released SimCLR: views of `a` are anchors, those of `b` only positives and negatives."""
    _, _, a, _, _ = batch
    b = a.flip(1) + 0.3
    views, expected = [*a, *b], 0.0
    for i in range(B):
        terms = [math.exp(cosine(views[i], views[k]) / 0.1) if k != i else 0.0 for k in range(2 * B)]
        expected -= math.log(terms[i + B] / sum(terms)) / B
    assert losses.nt_xent(a, b, 0.1, anchors="first").item() == pytest.approx(expected)
    halves = losses.nt_xent(a, b, 0.1, anchors="first") + losses.nt_xent(b, a, 0.1, anchors="first")
    torch.testing.assert_close(halves / 2, losses.nt_xent(a, b, 0.1))
    with pytest.raises(ValueError, match="anchors must be one of both, first, not 'second'"):
        losses.nt_xent(a, b, anchors="second")


def test_info_nce_is_moco_equation_1(batch):
    _, _, q, queue, _ = batch
    keys = q.flip(1) - 0.2
    for temperature in (0.07, 0.5):
        expected = 0.0
        for i in range(B):
            own = math.exp(cosine(q[i], keys[i]) / temperature)
            others = [math.exp(cosine(q[i], queue[j]) / temperature) for j in range(K)]
            expected -= math.log(own / (own + sum(others))) / B
        assert losses.info_nce(q, keys, queue, temperature).item() == pytest.approx(expected)
        assert losses.info_nce(3 * q, keys / 7, 2 * queue, temperature).item() == pytest.approx(expected)


def test_info_nce_by_hand():
    q, orthogonal = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    expected = -math.log(math.e / (math.e + 3))
    assert losses.info_nce(q, q, orthogonal.expand(3, 2), 1.0).item() == pytest.approx(expected)
    assert losses.info_nce(q, orthogonal, q, 1.0).item() == pytest.approx(-math.log(1 / (1 + math.e)))


def test_contrastive_losses_against_another_library(batch):
    distances = pytest.importorskip("pytorch_metric_learning.losses", reason="pytorch-metric-learning isn't installed")
    _, _, a, queue, _ = batch
    b = a.flip(1) + 0.3
    same = torch.arange(B)
    theirs = distances.NTXentLoss(temperature=0.2)(torch.cat([a, b]), torch.cat([same, same]))
    torch.testing.assert_close(losses.nt_xent(a, b, 0.2), theirs)
    negatives = same.repeat_interleave(K), B + torch.arange(K).repeat(B)  # each query against all of the queue
    theirs = distances.NTXentLoss(temperature=0.2)(
        a, indices_tuple=(same, same, *negatives), ref_emb=torch.cat([b, queue]), ref_labels=torch.zeros(B + K)
    )
    torch.testing.assert_close(losses.info_nce(a, b, queue, 0.2), theirs)


def test_keys_and_queue_get_no_gradient(batch):
    q, keys, queue = (t.clone().requires_grad_() for t in (batch[2], batch[2].flip(1), batch[3]))
    losses.info_nce(q, keys, queue).backward()
    assert q.grad.any() and keys.grad is None and queue.grad is None


def test_swapped_prediction_is_swav_equations_1_and_2(batch):
    """Half of Eq. (1), averaged over the samples: each view's code is predicted from the other view."""
    _, _, _, _, codes_a = batch
    codes_b = codes_a.roll(1, 0)
    scores_a, scores_b = codes_a.roll(2, 0).log(), codes_a.flip(1)
    for temperature in (0.1, 0.5):
        expected = 0.0
        for scores, codes in ((scores_a, codes_b), (scores_b, codes_a)):
            for i in range(B):
                terms = [math.exp(float(s) / temperature) for s in scores[i]]
                expected -= sum(float(codes[i, k]) * math.log(terms[k] / sum(terms)) for k in range(K)) / (2 * B)
        found = losses.swapped_prediction(scores_a, scores_b, codes_a, codes_b, temperature)
        assert found.item() == pytest.approx(expected)


def test_swapped_prediction_by_hand():
    first, second = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    # a view is asked for the other one's code: at tau = 1 its scores give it 1 / (1 + e), its own e / (1 + e)
    swapped = losses.swapped_prediction(first, second, first, second, 1.0)
    assert swapped.item() == pytest.approx(math.log(1 + math.e))
    straight = losses.swapped_prediction(first, second, second, first, 1.0)
    assert straight.item() == pytest.approx(math.log(1 + 1 / math.e))
    unknown, even = torch.zeros(2, 5), torch.full((2, 5), 0.2)
    assert losses.swapped_prediction(unknown, unknown, even, even).item() == pytest.approx(math.log(5))


def test_codes_get_no_gradient(batch):
    scores, codes = batch[-1].clone().requires_grad_(), batch[-1].clone().requires_grad_()
    losses.swapped_prediction(scores, scores.flip(1), codes, codes).backward()
    assert scores.grad.any() and codes.grad is None


def test_gradients(batch):
    x, x_hat, u, centers, q = (t.clone().requires_grad_() for t in batch)
    weights = losses.memberships(u.detach(), centers.detach()) ** 1.5
    target, pairs = losses.target_distribution(q.detach()), (q @ q.T).detach()
    assert gradcheck(lambda x_hat: losses.weighted_reconstruction(x.detach(), x_hat, weights), x_hat)
    assert gradcheck(lambda u, centers: losses.weighted_centering(u, centers, weights), (u, centers))
    assert gradcheck(lambda q: losses.pairwise_loss(q, pairs, 0.5, 0.3), q)
    assert gradcheck(lambda u, centers: losses.kl_divergence(target, losses.student_t(u, centers)), (u, centers))
    assert gradcheck(lambda u, centers: losses.soft_kmeans(u, centers, 2.0), (u, centers))
    assert gradcheck(lambda u: losses.nt_xent(u, u.flip(1) + 0.3, 0.5), u)
    assert gradcheck(lambda u: losses.info_nce(u, x[:, :3], centers, 0.5), u)
    assert gradcheck(lambda u: losses.swapped_prediction(u @ u.T, u.flip(0) @ u.T, pairs, pairs.T, 0.5), u)
    mixture = (u, u / 2, q.log_softmax(1), q[0].log(), centers, centers / 2)
    assert gradcheck(losses.mixture_divergence, tuple(t.detach().requires_grad_() for t in mixture))


def test_acai_losses_are_those_of_the_released_code(batch):
    x, x_hat, _, _, _ = batch
    realism, a, blended = x[:, 0], x[:, 1], x[:, 2]
    error = losses.mean_squared_error(x, x_hat)
    expected = float(error) + 0.5 * sum(float(c) ** 2 for c in realism) / B
    assert losses.acai_loss(error, realism).item() == pytest.approx(expected)
    told = sum((float(c) - float(s)) ** 2 + float(t) ** 2 for c, s, t in zip(realism, a, blended, strict=True)) / B
    assert losses.critic_loss(realism, a, blended).item() == pytest.approx(told)
    assert gradcheck(losses.critic_loss, (realism.clone().requires_grad_(), a, blended.clone().requires_grad_()))


def test_neighbor_reconstruction_pair_by_pair(batch):
    x, x_hat, _, _, _ = batch
    weights = torch.tensor([0.5, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05], dtype=torch.float64)
    expected = sum(float(w) * distance(s, t) / PIXELS for w, s, t in zip(weights, x, x_hat, strict=True))
    found = losses.neighbor_reconstruction(x.view(B, 1, 3, 4), x_hat, weights)
    assert found.item() == pytest.approx(expected)
    assert gradcheck(lambda y: losses.neighbor_reconstruction(x, y, weights), (x_hat.requires_grad_(),))
