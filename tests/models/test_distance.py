"""The distance of generated from true lower halves."""

import pytest
import torch
from torchmetrics.functional.image import structural_similarity_index_measure

from unmask.models.distance import Distance, distance, ssim


def pair(seed=0):
    generator = torch.Generator().manual_seed(seed)
    true = torch.rand(4, 1, 24, 48, generator=generator)
    noise = torch.rand(4, 1, 24, 48, generator=generator)
    return (0.7 * true + 0.3 * noise), true


def test_ssim_is_that_of_torchmetrics_where_the_window_lies_inside():
    generated, true = pair()
    _, everywhere = structural_similarity_index_measure(
        generated, true, data_range=1.0, return_full_image=True
    )
    inside = everywhere[..., 5:-5, 5:-5].mean()
    torch.testing.assert_close(ssim(generated, true), inside, atol=1e-5, rtol=1e-5)


def test_pointwise_distances():
    generated, true = pair()
    error = generated - true
    torch.testing.assert_close(distance(generated, true, Distance()), error.abs().mean())
    torch.testing.assert_close(
        distance(generated, true, Distance(loss="l2")), (error**2).mean(), rtol=1e-5, atol=1e-7
    )


def test_the_structural_term_is_weighed():
    generated, true = pair()
    plain = distance(generated, true, Distance())
    weighed = distance(generated, true, Distance(structure=0.3))
    assert weighed.item() == pytest.approx((plain + 0.3 * (1 - ssim(generated, true))).item())
    assert distance(true, true, Distance(structure=1.0)).item() == pytest.approx(0, abs=1e-6)


def test_the_structural_term_can_be_descended():
    generated, true = pair()
    generated.requires_grad_(True)
    for _ in range(20):
        (gradient,) = torch.autograd.grad(1 - ssim(generated, true), generated)
        generated = (generated - 50 * gradient).detach().requires_grad_(True)
    assert ssim(generated, true) > ssim(*pair()) + 0.05
